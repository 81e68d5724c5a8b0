import type { Command } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import type { SeriesKey } from '../core/event.ts'
import { compareSeries, seriesId } from '../core/series.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { type HubAccess, reachHub } from './hub-access.ts'
import { jsonText } from './lab-text.ts'
import { cardText, compareText, type Entry, listText, nameOf, type Report } from './model-text.ts'

interface ModelFlags extends ConfigFlags {
  readonly site?: string
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
  /** Words that name no series. */
  readonly versions: readonly string[]
}

const nowhere = '; a series is named as site/device/metric, or by as much of it as is enough'

interface Subcommand {
  readonly name: string
  readonly what: string
  /** Versions that it takes, after the series. */
  readonly most: 0 | 1 | 2
  readonly work: (task: Task) => Promise<unknown>
  /** Whether it may go against the gate. */
  readonly mayForce?: boolean
}

/** Adds `models list|show|promote|rollback|compare`. Each asks the hub that holds the folder, or the folder itself. */
export function modelsCommand(program: Command, version: string): void {
  const models = program.command('models').description('learnt models: what stands where, and why')
  for (const { name, what, most, work, mayForce = false } of subcommands) {
    const command = configFlags(models.command(`${name} [words...]`).description(what))
      .option('--site <id>', 'series of this site')
      .option('--device <id>', 'series of this device')
      .option('--metric <name>', 'series of this metric')
      .option('--json', 'JSON instead of text')
    if (mayForce) command.option('--force', 'though the gate said no; noted in the history')
    command.action((words: string[], flags: ModelFlags) =>
      withModels(flags, version, async (hub) => {
        const all = await allModels(hub, flags)
        return work({ hub, flags, ...pick(all, words, most) })
      }),
    )
  }
}

async function withModels(
  flags: ModelFlags,
  version: string,
  work: (hub: HubAccess) => Promise<unknown>,
): Promise<void> {
  const hub = await reachHub(configOf(flags), { version, learn: false })
  try {
    const said = await work(hub)
    process.stdout.write(typeof said === 'string' ? said : jsonText(said))
  } finally {
    await hub.close()
  }
}

/** All versions, the newest of a series first; narrowed by what is given. */
export async function allModels(
  hub: HubAccess,
  narrow: { readonly [Key in keyof SeriesKey]?: string | undefined },
): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '1000' })
    for (const key of ['site', 'device', 'metric'] as const) if (narrow[key]) query.set(key, narrow[key])
    if (cursor !== '') query.set('cursor', cursor)
    const page = (await hub.request('GET', `/api/v1/models?${query}`)) as {
      items: Entry[]
      next: string | null
    }
    entries.push(...page.items)
    cursor = page.next
  }
  return entries.sort((a, b) => compareSeries(a.series, b.series) || b.trainedAt - a.trainedAt)
}

/** The first word that names a series narrows to it; the others are versions. */
function pick(
  all: readonly Entry[],
  words: readonly string[],
  most: Subcommand['most'],
): Pick<Task, 'entries' | 'versions'> {
  const [first, ...rest] = words
  if (first === undefined) return { entries: all, versions: [] }
  const ofSeries = all.filter(({ series }) => partsOf(series).includes(first))
  const isVersion = all.some(({ model }) => model.version === first) || first === 'naive'
  if (ofSeries.length > 0 || isVersion) {
    const versions = ofSeries.length > 0 ? rest : words
    const tooMany = versions[most]
    if (tooMany !== undefined)
      throw new HomeostatError('data_invalid', {
        detail: `"${tooMany}" is a word too many; this takes a series and ${counts[most]}`,
      })
    return { entries: ofSeries.length > 0 ? ofSeries : all, versions }
  }
  // a version may be spelt wrong, and so may a series
  const known = namesOf(all)
  const what = `series or version "${first}"; there ${known.length === 0 ? 'are no models' : `are models of ${shortList(known)}`}`
  throw new HomeostatError('not_found', { what })
}

const counts = ['no version', 'one version', 'two versions']

/** How a series may be called: whole, or by the parts that tell it from others. */
const partsOf = ({ site, device, metric }: SeriesKey): string[] => [
  ...[`${site}/${device}/${metric}`, `${site}/${device}`, `${device}/${metric}`, device],
]

const namesOf = (entries: readonly Entry[]): string[] => [
  ...new Set(entries.map(({ series }) => nameOf(series))),
]

const shortList = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ')

/** Throws `data_invalid` where the words leave more than one series, `not_found` where they leave none. */
function oneSeries({ entries }: Task, version?: string): SeriesKey {
  const left = version === undefined ? entries : entries.filter(({ model }) => model.version === version)
  const [first] = left.length > 0 ? left : entries
  if (!first) throw new HomeostatError('not_found', { what: `model${nowhere}` })
  const names = namesOf(left.length > 0 ? left : entries)
  if (names.length > 1)
    throw new HomeostatError('data_invalid', { detail: `That may be any of ${shortList(names)}${nowhere}` })
  return first.series
}

const list = async ({ flags, entries }: Task): Promise<unknown> =>
  flags.json === true ? { models: entries } : listText(entries, flags)

async function show(task: Task): Promise<unknown> {
  const [version] = task.versions
  const series = oneSeries(task, version)
  const entry = entryOf(task, series, version)
  const report = (await reportsOf(task.hub, series)).find((one) => one.version === entry.model.version)
  return task.flags.json === true ? { model: entry, report: report ?? null } : cardText(entry, report)
}

async function promote(task: Task): Promise<unknown> {
  const [version] = task.versions
  if (version === undefined)
    throw new HomeostatError('data_invalid', {
      detail: 'Say which version is to go live; homeostat models list names them',
    })
  const series = oneSeries(task, version)
  const body = { ...keyOf(series), version, force: task.flags.force === true }
  const entry = (await task.hub.request('POST', '/api/v1/models/promote', body)) as Entry
  if (task.flags.json === true) return { model: entry }
  return `${nameOf(series)}: ${version} is live. ${entry.reason}\n`
}

async function rollBack(task: Task): Promise<unknown> {
  const [version] = task.versions
  const series = oneSeries(task, version === 'naive' ? undefined : version)
  const body = { ...keyOf(series), ...(version === undefined ? {} : { version }) }
  const { live } = (await task.hub.request('POST', '/api/v1/models/rollback', body)) as { live: string }
  if (task.flags.json === true) return { series, live }
  return `${nameOf(series)}: ${live === 'naive' ? 'the naive forecast speaks' : `${live} is live`} now.\n`
}

async function compare(task: Task): Promise<unknown> {
  const [a, b] = task.versions
  const series = oneSeries(task, b ?? a)
  const left = entryOf(task, series, a)
  const right = b === undefined ? otherOf(task, series, left) : entryOf(task, series, b)
  const pair = [left, right] as const
  const reports = await reportsOfBoth(task.hub, series, [left.model.version, right.model.version])
  if (task.flags.json !== true) return compareText(pair, reports)
  return { models: pair, reports: reports.map((report) => report ?? null) }
}

const subcommands: readonly Subcommand[] = [
  {
    ...{ name: 'list', most: 0, work: list },
    what: '[SERIES]: all versions with where they stand, also those rejected and refused',
  },
  {
    ...{ name: 'show', most: 1, work: show },
    what: '[SERIES] [VERSION]: the card of a version, by default the live one, else the newest',
  },
  {
    ...{ name: 'promote', most: 1, work: promote, mayForce: true },
    what: '[SERIES] VERSION: make a kept version live',
  },
  {
    ...{ name: 'rollback', most: 1, work: rollBack },
    what: '[SERIES] [VERSION]: back to the one before, to VERSION, or to naive',
  },
  {
    ...{ name: 'compare', most: 2, work: compare },
    what: '[SERIES] [A] [B]: two versions side by side, by default the live one first',
  },
]

const ofSeries = ({ entries }: Task, series: SeriesKey): Entry[] =>
  entries.filter((entry) => seriesId(entry.series) === seriesId(series))

/** A version of the series; where none is named the live one, else the newest. */
function entryOf(task: Task, series: SeriesKey, version?: string): Entry {
  const known = ofSeries(task, series)
  const found =
    version === undefined
      ? (known.find(({ live }) => live) ?? known[0])
      : known.find(({ model }) => model.version === version)
  if (found) return found
  const versions = known.map(({ model }) => model.version).join(', ')
  throw new HomeostatError('not_found', {
    what: `version ${version} of ${nameOf(series)}; there are ${versions}`,
  })
}

/** Whom to hold a version against: the challenger, else the live one, else what was live before. */
function otherOf(task: Task, series: SeriesKey, entry: Entry): Entry {
  const others = ofSeries(task, series).filter((other) => other !== entry)
  const retired = others.filter(({ standing }) => standing === 'retired').sort((a, b) => b.since - a.since)
  const found =
    others.find(({ standing }) => standing === 'challenger') ??
    others.find(({ live }) => live) ??
    retired[0] ??
    others[0]
  if (found) return found
  throw new HomeostatError('not_found', { what: `second version of ${nameOf(series)} to compare with` })
}

async function reportsOf(hub: HubAccess, series: SeriesKey, span: Partial<Span> = {}): Promise<Report[]> {
  const query = new URLSearchParams({ ...keyOf(series) })
  for (const [name, at] of Object.entries(span)) query.set(name, String(at))
  return ((await hub.request('GET', `/api/v1/models/report?${query}`)) as { items: Report[] }).items
}

interface Span {
  readonly from: number
  readonly to: number
}

/** Over the days that both have spoken of; undefined where there is none. */
async function reportsOfBoth(
  hub: HubAccess,
  series: SeriesKey,
  versions: readonly string[],
): Promise<(Report | undefined)[]> {
  const find = (reports: readonly Report[]) =>
    versions.map((version) => reports.find((report) => report.version === version))
  const spans = find(await reportsOf(hub, series))
  const from = Math.max(...spans.map((report) => report?.from ?? Number.POSITIVE_INFINITY))
  const to = Math.min(...spans.map((report) => report?.to ?? Number.NEGATIVE_INFINITY))
  return from < to ? find(await reportsOf(hub, series, { from, to })) : versions.map(() => undefined)
}

const keyOf = ({ site, device, metric }: SeriesKey): SeriesKey & Record<string, string> => ({
  site,
  device,
  metric,
})
