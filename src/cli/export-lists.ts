import {
  type CsvCell,
  type CsvColumn,
  type CsvForm,
  forecastsCsv,
  readingsCsv,
  rollupsCsv,
} from '../contract/csv.ts'
import { energyCsv } from '../contract/energy.ts'
import { HomeostatError } from '../core/errors.ts'
import { isDerived } from '../core/series.ts'
import type { HubAccess } from './hub-access.ts'

/** What can be exported, and the lists of the API that it is read from. */

export type ExportWhat = 'readings' | 'rollups' | 'forecasts' | 'energy'
export const exportable: readonly ExportWhat[] = ['readings', 'rollups', 'forecasts', 'energy']

/** What is exported; absent means all. */
export interface ExportSelection {
  readonly what: ExportWhat
  readonly site?: string | undefined
  readonly device?: string | undefined
  readonly metric?: string | undefined
  /** UTC ms; `to` is exclusive. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Length of the spans of energy. */
  readonly by?: 'hour' | 'day' | undefined
}

type Query = Readonly<Record<string, string | number | undefined>>

/** Rows of one page. `share` of the list that is read with it, 0 to 1. */
export interface ExportPage {
  readonly rows: Iterable<readonly CsvCell[]>
  readonly share: number
}

export interface ExportTable {
  readonly columns: readonly CsvColumn[]
  pages(): AsyncGenerator<ExportPage>
}

/** Rejects with `data_invalid` for options that do not go together, `not_found` where nothing is selected. */
export async function exportTable(
  hub: Pick<HubAccess, 'request'>,
  selection: ExportSelection,
  now: number,
): Promise<ExportTable> {
  requireFit(selection)
  const { what, site, device, metric, from, to } = selection
  if (what === 'readings') {
    // what the hub derived it derives again from the readings; `--device @energy:fridge` exports it
    const keep = (item: unknown): boolean =>
      device !== undefined || !isDerived((item as { device: string }).device)
    const list = { path: '/api/v1/readings', query: { site, device, metric, from, to } }
    return tableOf(hub, readingsCsv, [list], { keep, until: Math.min(to ?? now, now) })
  }
  if (what === 'forecasts')
    return tableOf(hub, forecastsCsv, [{ path: '/api/v1/forecasts', query: { site, device, metric } }])
  if (what === 'rollups') {
    const found = await selectedSeries(hub, selection)
    const span = { from: from ?? 0, to }
    const lists = found.map((series) => ({ path: '/api/v1/rollups', query: { ...series, ...span } }))
    return tableOf(hub, rollupsCsv, lists)
  }
  const span = { from: from ?? 0, to, by: selection.by ?? 'hour' }
  const lists = (await selectedDevices(hub, selection)).map((one) => ({
    path: '/api/v1/energy',
    query: { site: one.site, device: one.id, ...span },
  }))
  return tableOf(hub, energyCsv, lists)
}

function requireFit({ what, metric, from, to, by }: ExportSelection): void {
  const refuse = (detail: string): never => {
    throw new HomeostatError('data_invalid', { detail })
  }
  if (by !== undefined && what !== 'energy') refuse('--by goes with --what energy only')
  if (metric !== undefined && what === 'energy') refuse('--what energy takes no --metric')
  if (what === 'forecasts' && (from !== undefined || to !== undefined))
    refuse('--what forecasts exports the newest forecast of each target; it takes neither --from nor --to')
  if (from !== undefined && to !== undefined && from >= to) refuse('--from must lie before --to')
}

interface SeriesKey {
  readonly site: string
  readonly device: string
  readonly metric: string
}

async function selectedSeries(
  hub: Pick<HubAccess, 'request'>,
  { site, device, metric }: ExportSelection,
): Promise<SeriesKey[]> {
  const query = { site, device, metric }
  const all = await everyItem<SeriesKey>(hub, '/api/v1/series', query)
  if (all.length === 0) throw new HomeostatError('not_found', { what: `series${ofSelection(query)}` })
  return all.map((series) => ({ site: series.site, device: series.device, metric: series.metric }))
}

interface DeviceKey {
  readonly site: string
  readonly id: string
}

async function selectedDevices(
  hub: Pick<HubAccess, 'request'>,
  { site, device }: ExportSelection,
): Promise<DeviceKey[]> {
  const query = { site, device }
  const all = await everyItem<DeviceKey>(hub, '/api/v1/devices', query)
  if (all.length === 0) throw new HomeostatError('not_found', { what: `device${ofSelection(query)}` })
  return all
}

function ofSelection(query: Query): string {
  const named = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`the ${key} ${value}`],
  )
  return named.length === 0 ? '' : ` of ${named.join(', ')}`
}

interface ReplyPage {
  readonly items: readonly unknown[]
  readonly next: string | null
}

async function* pagesOf(
  hub: Pick<HubAccess, 'request'>,
  path: string,
  query: Query,
): AsyncGenerator<ReplyPage> {
  const words = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) words.set(key, String(value))
  for (let next: string | null = ''; next !== null; ) {
    if (next !== '') words.set('cursor', next)
    const page = (await hub.request('GET', `${path}?${words}`)) as ReplyPage
    yield page
    next = page.next
  }
}

async function everyItem<Item>(hub: Pick<HubAccess, 'request'>, path: string, query: Query): Promise<Item[]> {
  const items: Item[] = []
  for await (const page of pagesOf(hub, path, { ...query, limit: 10_000 }))
    items.push(...(page.items as Item[]))
  return items
}

interface List {
  readonly path: string
  readonly query: Query
}

interface TableOptions {
  readonly keep?: (item: unknown) => boolean
  /** Where a list that is ordered by time is expected to end, UTC ms. */
  readonly until?: number
}

function tableOf(
  hub: Pick<HubAccess, 'request'>,
  form: CsvForm,
  lists: readonly List[],
  { keep, until }: TableOptions = {},
): ExportTable {
  return {
    columns: form.columns,
    async *pages() {
      for (const [index, { path, query }] of lists.entries()) {
        let first: number | undefined
        for await (const page of pagesOf(hub, path, { ...query, limit: form.pageItems })) {
          const items = keep ? page.items.filter(keep) : page.items
          const rows = form.rows({ ...page, items } as never, query as never)
          first ??= timeOf(page.items[0])
          const share = page.next === null ? 1 : shareOf(first, timeOf(page.items.at(-1)), until)
          yield { rows, share: (index + share) / lists.length }
        }
      }
    },
  }
}

const timeOf = (item: unknown): number | undefined => (item as { at?: number } | undefined)?.at

/** Lists are ordered by time: how much of the span is read is how much of the list is. */
function shareOf(first: number | undefined, last: number | undefined, until: number | undefined): number {
  if (first === undefined || last === undefined || until === undefined || until <= first) return 0
  return Math.min(1, (last - first) / (until - first))
}
