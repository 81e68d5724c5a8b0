import type { SeriesKey } from '../../src/core/event.ts'
import type { ReadingFilter, ReadingPosition, ReadingStore } from '../../src/core/ports.ts'
import type { Reading } from '../../src/core/reading.ts'

export const hour = 3_600_000
/** 2024-01-01T00:00Z. */
export const start = 1_704_067_200_000

export const reading = (change: Partial<Reading> = {}): Reading => ({
  site: 'home',
  device: 'meter',
  metric: 'power',
  value: 1,
  unit: 'W',
  at: start,
  ...change,
})

/** All that a filter leaves, page by page. */
export async function pages(store: ReadingStore, filter: ReadingFilter, limit: number): Promise<Reading[]> {
  const all: Reading[] = []
  for (let after: ReadingPosition | undefined; ; after = all.at(-1)) {
    const page = await store.read(filter, limit, after)
    all.push(...page)
    if (page.length < limit) return all
  }
}

/** All chunks of a scan as one. */
export async function scanned(
  store: ReadingStore,
  series: SeriesKey,
  from: number,
  to: number,
): Promise<{ at: number[]; value: number[] }> {
  const all: { at: number[]; value: number[] } = { at: [], value: [] }
  for await (const { at, value } of store.scan(series, from, to)) {
    all.at.push(...at)
    all.value.push(...value)
  }
  return all
}

/** All chunks of a scan of several series, a row a value: device, time after `start`, value. */
export async function scannedMany(
  store: ReadingStore,
  series: readonly SeriesKey[],
  from: number,
  to: number,
): Promise<[string, number, number][]> {
  const rows: [string, number, number][] = []
  for await (const { series: key, at, value } of store.scanMany(series, from, to)) {
    for (const [row, time] of at.entries()) {
      rows.push([`${key.site}/${key.device}/${key.metric}`, time - start, value[row]!])
    }
  }
  return rows
}
