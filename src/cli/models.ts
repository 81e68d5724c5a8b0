import type { Command } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import { compareTargets, isSameTarget, type Target } from '../core/target.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { type HubAccess, isUnused, reachHub } from './hub-access.ts'
import { jsonText } from './lab-text.ts'
import {
  cardText,
  compareText,
  type Entry,
  listText,
  type Narrow,
  nameOf,
  type Report,
} from './model-text.ts'

interface ModelFlags extends ConfigFlags {
  readonly site?: string
  readonly domain?: string
  readonly subject?: string
  readonly device?: string
  readonly metric?: string
  readonly json?: boolean
  readonly force?: boolean
}

/** What a subcommand works with: the hub, and the versions that its words and flags name. */
interface Task {
  readonly hub: HubAccess
  readonly flags: ModelFlags
  readonly entries: readonly Entry[]
  /** Words that name no target. */
  readonly versions: readonly string[]
}

const nowhere = '; a target is named as site/domain/subject, or by as much of it as is unique'

interface Subcommand {
  readonly name: string
  readonly what: string
  /** Versions that it takes, after the target. */
  readonly most: 0 | 1 | 2
  readonly work: (task: Task) => Promise<unknown>
  /** Whether it may overrule the gate. */
  readonly mayForce?: boolean
}

/** Adds `models list|show|promote|rollback|compare`. Each asks the hub that holds the folder, or the folder itself. */
export function modelsCommand(program: Command, version: string): void {
  const models = program.command('models').description('learnt models: versions, their status, and why')
  for (const { name, what, most, work, mayForce = false } of subcommands) {
    const command = configFlags(models.command(`${name} [words...]`).description(what))
      .option('--site <id>', 'targets of this site')
      .option('--domain <name>', 'targets of this domain, e.g. energy')
      .option('--subject <id>', 'this subject: a device or room')
      .option('--device <id>', 'this subject, a device')
      .option('--metric <name>', 'models that predict this metric')
      .option('--json', 'JSON instead of text')
    if (mayForce) command.option('--force', 'even if the gate rejected it; recorded in the history')
    command.action(async (words: string[], flags: ModelFlags) => {
      const config = configOf(flags)
      // an empty list is no error
      if (work === list && words.length === 0 && (await isUnused(config)))
        return show(flags.json === true ? { models: [] } : `There are no models: ${config.data} is empty.\n`)
      return withModels(flags, version, async (hub) => {
        const all = await allModels(hub, flags)
        return work({ hub, flags, ...pick(all, words, most) })
      })
    })
  }
}

async function withModels(
  flags: ModelFlags,
  version: string,
  work: (hub: HubAccess) => Promise<unknown>,
): Promise<void> {
  const hub = await reachHub(configOf(flags), { version, learn: false })
  try {
    show(await work(hub))
  } finally {
    await hub.close()
  }
}

const show = (result: unknown): void =>
  void process.stdout.write(typeof result === 'string' ? result : jsonText(result))

/** All versions, the newest of a target first; filtered by `narrow`. */
export async function allModels(hub: HubAccess, narrow: Narrow): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '1000' })
    for (const key of ['site', 'domain', 'subject', 'device', 'metric'] as const)
      if (narrow[key]) query.set(key, narrow[key])
    if (cursor !== '') query.set('cursor', cursor)
    const page = (await hub.request('GET', `/api/v1/models?${query}`)) as {
      items: Entry[]
      next: string | null
    }
    entries.push(...page.items)
    cursor = page.next
  }
  return entries.sort((a, b) => compareTargets(a.target, b.target) || b.trainedAt - a.trainedAt)
}

/** The first word that names a target selects it; the others are versions. */
function pick(
  all: readonly Entry[],
  words: readonly string[],
  most: Subcommand['most'],
): Pick<Task, 'entries' | 'versions'> {
  const [first, ...rest] = words
  if (first === undefined) return { entries: all, versions: [] }
  const ofTarget = all.filter(({ target }) => partsOf(target).includes(first))
  const isVersion = all.some(({ model }) => model.version === first) || first === 'naive'
  if (ofTarget.length > 0 || isVersion) {
    const versions = ofTarget.length > 0 ? rest : words
    const tooMany = versions[most]
    if (tooMany !== undefined)
      throw new HomeostatError('data_invalid', {
        detail: `"${tooMany}" is a word too many; this takes a target and ${counts[most]}`,
      })
    return { entries: ofTarget.length > 0 ? ofTarget : all, versions }
  }
  // a version may be misspelt, and so may a target
  const known = namesOf(all)
  const what = `target or version "${first}"; there ${known.length === 0 ? 'are no models' : `are models of ${shortList(known)}`}`
  throw new HomeostatError('not_found', { what })
}

const counts = ['no version', 'one version', 'two versions']

/** Names of a target: whole, or the parts that distinguish it; also site/device/metric, its older name. */
const partsOf = ({ site, domain, subject }: Target): string[] => [
  ...[`${site}/${domain}/${subject}`, `${site}/${subject}`, `${domain}/${subject}`, subject],
  ...[`${site}/${subject}/${domain}`, `${subject}/${domain}`],
]

const namesOf = (entries: readonly Entry[]): string[] => [
  ...new Set(entries.map(({ target }) => nameOf(target))),
]

const shortList = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ')

/** Throws `data_invalid` if the words select more than one target, `not_found` if none. */
function oneTarget({ entries }: Task, version?: string): Target {
  const left = version === undefined ? entries : entries.filter(({ model }) => model.version === version)
  const [first] = left.length > 0 ? left : entries
  if (!first) throw new HomeostatError('not_found', { what: `model${nowhere}` })
  const names = namesOf(left.length > 0 ? left : entries)
  if (names.length > 1)
    throw new HomeostatError('data_invalid', { detail: `That may be any of ${shortList(names)}${nowhere}` })
  return first.target
}

const list = async ({ flags, entries }: Task): Promise<unknown> =>
  flags.json === true ? { models: entries } : listText(entries, flags)

async function showCard(task: Task): Promise<unknown> {
  const [version] = task.versions
  const target = oneTarget(task, version)
  const entry = entryOf(task, target, version)
  const report = (await reportsOf(task.hub, target)).find((one) => one.version === entry.model.version)
  return task.flags.json === true ? { model: entry, report: report ?? null } : cardText(entry, report)
}

async function promote(task: Task): Promise<unknown> {
  const [version] = task.versions
  if (version === undefined)
    throw new HomeostatError('data_invalid', {
      detail: 'Name the version to promote; homeostat models list shows them',
    })
  const target = oneTarget(task, version)
  const body = { ...keyOf(target), version, force: task.flags.force === true }
  const entry = (await task.hub.request('POST', '/api/v1/models/promote', body)) as Entry
  if (task.flags.json === true) return { model: entry }
  return `${nameOf(target)}: ${version} is live. ${entry.reason}\n`
}

async function rollBack(task: Task): Promise<unknown> {
  const [version] = task.versions
  const target = oneTarget(task, version === 'naive' ? undefined : version)
  const body = { ...keyOf(target), ...(version === undefined ? {} : { version }) }
  const { live } = (await task.hub.request('POST', '/api/v1/models/rollback', body)) as { live: string }
  if (task.flags.json === true) return { target, live }
  return `${nameOf(target)}: ${live === 'naive' ? 'the naive forecast is live' : `${live} is live`} now.\n`
}

async function compare(task: Task): Promise<unknown> {
  const [a, b] = task.versions
  const target = oneTarget(task, b ?? a)
  const left = entryOf(task, target, a)
  const right = b === undefined ? otherOf(task, target, left) : entryOf(task, target, b)
  const pair = [left, right] as const
  const reports = await reportsOfBoth(task.hub, target, [left.model.version, right.model.version])
  if (task.flags.json !== true) return compareText(pair, reports)
  return { models: pair, reports: reports.map((report) => report ?? null) }
}

const subcommands: readonly Subcommand[] = [
  {
    ...{ name: 'list', most: 0, work: list },
    what: '[TARGET]: all versions with their status, also those rejected and refused',
  },
  {
    ...{ name: 'show', most: 1, work: showCard },
    what: '[TARGET] [VERSION]: the card of a version, by default the live one, else the newest',
  },
  {
    ...{ name: 'promote', most: 1, work: promote, mayForce: true },
    what: '[TARGET] VERSION: make a kept version live',
  },
  {
    ...{ name: 'rollback', most: 1, work: rollBack },
    what: '[TARGET] [VERSION]: back to the one before, to VERSION, or to naive',
  },
  {
    ...{ name: 'compare', most: 2, work: compare },
    what: '[TARGET] [A] [B]: two versions side by side, by default the live one first',
  },
]

const ofTarget = ({ entries }: Task, target: Target): Entry[] =>
  entries.filter((entry) => isSameTarget(entry.target, target))

/** A version of the target; by default the live one, else the newest. */
function entryOf(task: Task, target: Target, version?: string): Entry {
  const known = ofTarget(task, target)
  const found =
    version === undefined
      ? (known.find(({ live }) => live) ?? known[0])
      : known.find(({ model }) => model.version === version)
  if (found) return found
  const versions = known.map(({ model }) => model.version).join(', ')
  throw new HomeostatError('not_found', {
    what: `version ${version} of ${nameOf(target)}; there are ${versions}`,
  })
}

/** The version to compare with: the challenger, else the live one, else what was live before. */
function otherOf(task: Task, target: Target, entry: Entry): Entry {
  const others = ofTarget(task, target).filter((other) => other !== entry)
  const retired = others.filter(({ status }) => status === 'retired').sort((a, b) => b.since - a.since)
  const found =
    others.find(({ status }) => status === 'challenger') ??
    others.find(({ live }) => live) ??
    retired[0] ??
    others[0]
  if (found) return found
  throw new HomeostatError('not_found', { what: `second version of ${nameOf(target)} to compare with` })
}

async function reportsOf(hub: HubAccess, target: Target, span: Partial<Span> = {}): Promise<Report[]> {
  const query = new URLSearchParams({ ...keyOf(target) })
  for (const [name, at] of Object.entries(span)) query.set(name, String(at))
  return ((await hub.request('GET', `/api/v1/models/report?${query}`)) as { items: Report[] }).items
}

interface Span {
  readonly from: number
  readonly to: number
}

/** Over the days that both predicted; undefined if there is none. */
async function reportsOfBoth(
  hub: HubAccess,
  target: Target,
  versions: readonly string[],
): Promise<(Report | undefined)[]> {
  const find = (reports: readonly Report[]) =>
    versions.map((version) => reports.find((report) => report.version === version))
  const spans = find(await reportsOf(hub, target))
  const from = Math.max(...spans.map((report) => report?.from ?? Number.POSITIVE_INFINITY))
  const to = Math.min(...spans.map((report) => report?.to ?? Number.NEGATIVE_INFINITY))
  return from < to ? find(await reportsOf(hub, target, { from, to })) : versions.map(() => undefined)
}

const keyOf = ({ site, domain, subject }: Target): Target & Record<string, string> => ({
  site,
  domain,
  subject,
})
