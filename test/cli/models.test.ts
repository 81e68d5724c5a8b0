import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { program } from '../servers/hub.ts'
import { startProcess } from '../servers.ts'
import { makePlace, type Place, patienceMs, requireBuild } from './cli.ts'
import { historyCsv } from './history.ts'

/** `homeostat train` and `homeostat models`: on the folder, and through the hub that holds it. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
})
afterEach(() => place.clear())

const importHistory = async (devices: Parameters<typeof historyCsv>[0]): Promise<void> => {
  const file = place.write('history.csv', historyCsv(devices))
  expect(await place.run('import', file)).toMatchObject({ code: 0, error: '' })
}

const heater = { device: 'heater', kind: 'rhythm', days: 40 } as const
const dice = { device: 'dice', kind: 'noise', days: 40 } as const
const lamp = { device: 'lamp', kind: 'rhythm', days: 2 } as const

interface Model {
  readonly target: { readonly subject: string }
  readonly model: { readonly version: string }
  readonly status: string
}

const models = async (): Promise<Model[]> =>
  JSON.parse((await place.run('models', 'list', '--json')).out).models
const versionOf = async (subject: string, status: string): Promise<string> =>
  (await models()).find((one) => one.target.subject === subject && one.status === status)?.model.version ?? ''

describe('a folder without a hub', () => {
  test('that is not there is not made', async () => {
    for (const words of [['train'], ['models', 'show'], ['export', '--out', 'x.csv']]) {
      const { code, out, error } = await place.run(...words)
      expect([code, out, error]).toEqual([
        4,
        '',
        `There is no data in ${place.data}; name its folder with --data, or begin with homeostat serve or import.\n`,
      ])
    }
    expect(existsSync(place.data)).toBe(false)
  })

  test('models list: is an empty list where nothing was stored yet', async () => {
    const listed = await place.run('models', 'list')
    expect(listed).toEqual({ code: 0, out: `There are no models: ${place.data} is empty.\n`, error: '' })
    expect(await place.run('models', 'list', '--json')).toEqual({
      code: 0,
      out: '{"models":[]}\n',
      error: '',
    })
    expect(existsSync(place.data)).toBe(false)
  })

  test('is learnt from, device by device, and its models are shown, compared, promoted and rolled back', async () => {
    await importHistory([heater, dice, lamp])
    const absent = await place.run('train', '--device', 'tv')
    expect([absent.code, absent.error]).toEqual([
      4,
      'There is no target to learn from of the device tv; import some or connect a sensor.\n',
    ])

    const first = await place.run('train')
    expect(first).toMatchObject({ code: 0, error: '' })
    expect(first.out).toMatch(/^ +site +domain +subject +verdict +skill +coverage +why$/m)
    expect(first.out).toMatch(/^ +home +energy +heater +live +\d+\.\d % +\d+\.\d % +\S.*\.$/m)
    expect(first.out).toMatch(/^ +home +energy +dice +rejected .* \S.*\.$/m)
    expect(first.out).toMatch(
      /^ +home +energy +lamp +none +- +- +There is too little history to learn from: \d\.\d days of known hours; .*\.$/m,
    )

    const live = await versionOf('heater', 'live')
    const rejected = await versionOf('dice', 'rejected')
    const list = await place.run('models', 'list')
    expect(list.out).toMatch(new RegExp(`^ +home/energy/heater +${live} +live `, 'm'))
    expect(list.out).toMatch(new RegExp(`^ +home/energy/dice +${rejected} +rejected .*Rejected: `, 'm'))
    const card = await place.run('models', 'show', 'heater')
    expect(card.out).toContain(`home/energy/heater  energy-forecast ${live}`)
    expect(card.out).toMatch(/^ +slot-mean +\d/m)
    expect(card.out).toMatch(/No truth of its forecasts is known/)

    const refused = await place.run('models', 'promote', 'dice', rejected)
    expect([refused.code, refused.out]).toEqual([5, ''])
    expect(refused.error).toMatch(/did not pass the gate .* it goes live by force only\.\n$/)
    const forced = await place.run('models', 'promote', rejected, '--device', 'dice', '--force')
    expect(forced.out).toBe(
      `home/energy/dice: ${rejected} is live. Made live by force by commands on this machine.\n`,
    )
    expect(await place.run('models', 'rollback', 'home/energy/dice')).toMatchObject({
      ...{ code: 0, out: 'home/energy/dice: the naive forecast is live now.\n' },
    })
    expect((await place.run('models', 'rollback', 'dice')).error).toMatch(/no learnt model is live/)

    const again = await place.run('train', '--device', 'heater', '--force', '--json')
    expect(JSON.parse(again.out)).toMatchObject({
      trainings: [{ site: 'home', domain: 'energy', subject: 'heater', verdict: 'live' }],
    })
    const newest = await versionOf('heater', 'live')
    expect(newest > live).toBe(true)
    const pair = await place.run('models', 'compare', 'heater')
    expect(pair.out).toMatch(new RegExp(`^ +${newest} +${live}$`, 'm'))
    expect(pair.out).toMatch(/^ +status +live +retired$/m)
    expect(pair.out).toContain('There is no day that both predicted')
  })
})

describe('a word', () => {
  test('that leaves more than one target, or none, is answered with their names', async () => {
    await importHistory([
      { ...heater, days: 22 },
      { ...dice, days: 22 },
    ])
    expect(await place.run('train')).toMatchObject({ code: 0 })
    for (const [words, code, says] of [
      [['show'], 2, /^That may be any of home\/energy\/dice, home\/energy\/heater; a target is named as/],
      [
        ['show', 'tv'],
        4,
        /^There is no target or version "tv"; there are models of home\/energy\/dice, home/,
      ],
      [['show', 'dice', 'v9'], 4, /^There is no version v9 of home\/energy\/dice; there are 2\d{7}T/],
      [['compare', 'dice'], 4, /^There is no second version of home\/energy\/dice to compare with/],
      [['promote', 'dice'], 2, /^Name the version to promote/],
      [['show', '--device', 'tv'], 4, /^There is no model; a target is named as/],
      [['show', 'dice', 'v9', 'v8'], 2, /^"v8" is a word too many; this takes a target and one version\.$/m],
      [['list', 'dice', 'heater'], 2, /^"heater" is a word too many; this takes a target and no version\.$/m],
      [
        ['compare', 'dice', 'a', 'b', 'c'],
        2,
        /^"c" is a word too many; this takes a target and two versions\.$/m,
      ],
      [['shwo'], 2, /shwo|Did you mean show/],
    ] as const) {
      const ended = await place.run('models', ...words)
      expect([words, ended.code, ended.out]).toEqual([words, code, ''])
      expect(ended.error).toMatch(says)
      expect(ended.error).not.toMatch(/\n\s+at /)
    }
  })
})

describe('a hub that runs', () => {
  test('is asked to learn, and says the same as the folder when it has gone', async () => {
    await importHistory([heater, lamp])
    place.configure({ training: { enabled: true, workers: 1 } })
    const hub = await place.serve('--no-demo')
    const ended = await place.run('train', '--site', 'home', '--device', 'heater')
    expect(ended).toMatchObject({ code: 0, error: '' })
    expect(ended.out).toMatch(/^ +home +energy +heater +(live|challenger|rejected) /m)
    const text = await place.run('models', 'list', 'heater')
    expect(text).toMatchObject({ code: 0, error: '' })
    const { body } = await hub.ask('/api/v1/models/history?device=heater')
    expect(body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ status: 'live' })]),
    })
    const live = await versionOf('heater', 'live')
    expect(await place.run('models', 'rollback', 'heater', 'naive')).toMatchObject({ code: 0 })
    expect(await hub.ask('/model/info')).toMatchObject({ status: 500 })
    expect(await place.run('models', 'promote', 'heater', live, '--force')).toMatchObject({ code: 0 })
    expect(await hub.ask('/model/info')).toMatchObject({ status: 200, body: { version: live } })
    expect(await hub.stop()).toBe(0)
    expect(await versionOf('heater', 'live')).toBe(live)
  })
})

test('Ctrl+C cancels the trainings that wait and run, and says which were done', async () => {
  await importHistory(Array.from({ length: 12 }, (_, at) => ({ ...heater, device: `heater-${at}` })))
  const { PATH } = process.env
  const env = { PATH, HOME: place.path, TZ: 'UTC' }
  const command = startProcess(process.execPath, [program, 'train'], { cwd: place.path, env })
  await expect.poll(() => command.tail, { timeout: 30_000 }).toContain('Learning 12 targets.')
  command.child.kill('SIGINT')
  await once(command.child, 'close')
  expect(command.child.exitCode).toBe(130)
  expect(command.tail).toMatch(
    /^ +home +energy +heater-11 +cancelled +- +- +Cancelled by commands on this machine before/m,
  )
  // nothing is left for the next hub to do
  const hub = await place.serve('--no-demo')
  const { items } = (await hub.ask('/api/v1/jobs')).body as { items: { status: string }[] }
  expect(items).toHaveLength(12)
  expect(items.filter(({ status }) => !/^(done|cancelled)$/.test(status))).toEqual([])
})
