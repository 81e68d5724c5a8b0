import type { Command } from 'commander'
import type { z } from 'zod'
import type { deviceRoutes } from '../contract/device-routes.ts'
import type * as s from '../contract/schemas.ts'
import { HomeostatError } from '../core/errors.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { type HubAccess, reachHub } from './hub-access.ts'
import { jsonText, textTable } from './lab-text.ts'
import { timeText } from './model-text.ts'

type Device = z.output<typeof s.device>
type Removal = z.output<(typeof deviceRoutes)['removeDevice']['reply']>

interface DeviceFlags extends ConfigFlags {
  readonly site?: string
  readonly json?: boolean
  readonly metric?: string
  readonly room?: string
  readonly type?: string
  readonly role?: string
  readonly name?: string
  readonly show?: boolean
}

interface Task {
  readonly hub: HubAccess
  readonly flags: DeviceFlags
  readonly words: readonly string[]
}

interface Subcommand {
  readonly name: string
  readonly words: string
  readonly what: string
  readonly options?: readonly (readonly [flag: string, what: string])[]
  readonly work: (task: Task) => Promise<{ readonly text: string; readonly json: object }>
}

/** Adds `devices list|rename|set|hide|merge|delete|removed|restore`, at the hub of the folder or on the folder itself. */
export function devicesCommand(program: Command, version: string): void {
  const devices = program.command('devices').description('devices: name, place, hide, merge, delete, restore')
  for (const { name, words, what, options = [], work } of subcommands) {
    const command = configFlags(
      devices.command(`${name}${words === '' ? '' : ` ${words}`}`).description(what),
    )
      .option(
        '--site <id>',
        name === 'list' || name === 'removed' ? 'of this site' : 'the site of the device',
      )
      .option('--json', 'JSON instead of text')
    for (const [flag, meaning] of options) command.option(flag, meaning)
    command.action(async (...given: unknown[]) => {
      const flags = given[words === '' ? 0 : words.split(' ').length] as DeviceFlags
      const hub = await reachHub(configOf(flags), { version, learn: false })
      try {
        const said = given.filter((word) => typeof word === 'string')
        const { text, json } = await work({ hub, flags, words: said })
        process.stdout.write(flags.json === true ? jsonText(json) : text)
      } finally {
        await hub.close()
      }
    })
  }
}

const pathOf = (id: string, { site, metric }: DeviceFlags, action = ''): string => {
  const query = new URLSearchParams({ ...(site ? { site } : {}), ...(metric ? { metric } : {}) })
  return `/api/v1/devices/${encodeURIComponent(id)}${action}${query.size > 0 ? `?${query}` : ''}`
}

async function all<Item>(hub: HubAccess, path: string, site: string | undefined): Promise<Item[]> {
  const items: Item[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '1000', ...(site ? { site } : {}) })
    if (cursor !== '') query.set('cursor', cursor)
    const page = (await hub.request('GET', `${path}?${query}`)) as { items: Item[]; next: string | null }
    items.push(...page.items)
    cursor = page.next
  }
  return items
}

async function list({ hub, flags }: Task) {
  const devices = await all<Device>(hub, '/api/v1/devices', flags.site)
  const head = ['site', 'id', 'name', 'room', 'type', 'role', 'hidden']
  const rows = devices.map(({ site, id, name, room, type, role, hidden }) => [
    ...[site, id, name ?? '-', room ?? '-', type, role ?? '-'],
    hidden === true ? 'hidden' : '-',
  ])
  const text = devices.length === 0 ? 'There are no devices.\n' : textTable([head, ...rows])
  return { text, json: { devices } }
}

async function edit({ hub, flags, words: [id = ''] }: Task, body: object) {
  const device = (await hub.request('PATCH', pathOf(id, flags), body)) as Device
  const { name, room, type, role, hidden } = device
  const facts = [name && `named ${name}`, room && `room ${room}`, `type ${type}`, role && `role ${role}`]
  const text = [...facts, hidden === true && 'hidden'].filter(Boolean).join(', ')
  return { text: `${device.site}/${id}: ${text}.\n`, json: { device } }
}

const rename = (task: Task) => {
  const [, name = ''] = task.words
  return edit(task, { name: name === '' ? null : name })
}

/** An empty value takes back what was said. */
const set = (task: Task) => {
  const given = (['name', 'room', 'type', 'role'] as const).flatMap((field) => {
    const value = task.flags[field]
    return value === undefined ? [] : [[field, value === '' ? null : value] as const]
  })
  if (given.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: 'Say what to set: --room, --type, --role or --name; an empty text takes it back',
    })
  return edit(task, Object.fromEntries(given))
}

const hide = (task: Task) => edit(task, { hidden: task.flags.show !== true })

const removalText = ({ id, kind, site, device, metric, into, until }: Removal): string => {
  const what = `${site}/${device}${metric === undefined ? '' : ` ${metric}`}`
  const done = kind === 'merged' ? `merged into ${into}` : 'deleted'
  return `${what} is ${done}. Until ${timeText(until)} UTC it can be restored: homeostat devices restore ${id}\n`
}

async function remove({ hub, flags, words: [id = ''] }: Task) {
  const removal = (await hub.request('DELETE', pathOf(id, flags))) as Removal
  return { text: removalText(removal), json: { removal } }
}

async function merge({ hub, flags, words: [id = '', into] }: Task) {
  const removal = (await hub.request('POST', pathOf(id, flags, '/merge'), { into })) as Removal
  return { text: removalText(removal), json: { removal } }
}

async function removed({ hub, flags }: Task) {
  const removals = await all<Removal>(hub, '/api/v1/devices/removed', flags.site)
  const head = ['id', 'site', 'device', 'what', 'at (UTC)', 'until (UTC)', 'by']
  const rows = removals.map(({ id, site, device, kind, metric, into, at, until, by }) => [
    ...[id, site, device],
    kind === 'merged' ? `merged into ${into}` : `deleted${metric === undefined ? '' : `: ${metric}`}`,
    ...[timeText(at), timeText(until), by],
  ])
  const text = removals.length === 0 ? 'There is nothing to restore.\n' : textTable([head, ...rows])
  return { text, json: { removals } }
}

async function restore({ hub, flags, words: [id = ''] }: Task) {
  const removal = (await hub.request('POST', pathOf(id, flags, '/restore'), {})) as Removal
  return { text: `${removal.site}/${removal.device} is restored.\n`, json: { removal } }
}

const subcommands: readonly Subcommand[] = [
  { name: 'list', words: '', what: 'all devices, also those that are hidden', work: list },
  {
    ...{ name: 'rename', words: '<id> <name>', work: rename },
    what: 'give a device a name; its id stays. An empty name takes it back',
  },
  {
    ...{ name: 'set', words: '<id>', work: set },
    what: 'set room, type or meter role; an empty text takes it back',
    options: [
      ['--room <room>', 'no reading changes it any more'],
      ['--type <type>', 'what kind of device it is'],
      ['--role <role>', 'what it measures: grid, solar, battery, house or device'],
      ['--name <name>', 'as rename'],
    ],
  },
  {
    ...{ name: 'hide', words: '<id>', work: hide },
    what: 'leave a device out of lists; it is stored and learnt as before',
    options: [['--show', 'show it again']],
  },
  {
    ...{ name: 'merge', words: '<id> <into>', work: merge },
    what: 'make a device a part of another, with all its readings, also those to come',
  },
  {
    ...{ name: 'delete', words: '<id>', work: remove },
    what: 'delete a device with its history',
    options: [['--metric <name>', 'this series only']],
  },
  { name: 'removed', words: '', what: 'what was deleted and merged and can be restored', work: removed },
  {
    ...{ name: 'restore', words: '<id>', work: restore },
    what: 'undo: the id of a removal, or of a device (its newest one)',
  },
]
