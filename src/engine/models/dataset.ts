import type { Clock, ReadingStore } from '../../core/ports.ts'
import type { Dataset, Need } from '../../domains/domain.ts'

/** Rows that are laid into the steps before other work has its turn. */
const sliceRows = 10_000

/** Reads what is needed, one series at a time: NaN where a step is absent, and the last value where two fall into one. */
export async function readDataset(
  {
    readings,
    clock,
  }: { readonly readings: Pick<ReadingStore, 'scan'>; readonly clock: Pick<Clock, 'yield'> },
  needs: readonly Need[],
): Promise<Dataset> {
  const data: Record<string, Dataset[string]> = {}
  for (const { name, series, from, to, stepMs } of needs) {
    const values = new Float64Array(Math.max(0, Math.ceil((to - from) / stepMs))).fill(Number.NaN)
    let rows = 0
    for await (const { at, value } of readings.scan(series, from, to)) {
      for (let row = 0; row < at.length; row++) values[Math.floor((at[row]! - from) / stepMs)] = value[row]!
      rows += at.length
      if (rows >= sliceRows) {
        rows = 0
        await clock.yield()
      }
    }
    data[name] = { start: from, stepMs, values }
  }
  return data
}
