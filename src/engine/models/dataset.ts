import type { Clock, ReadingStore } from '../../core/ports.ts'
import { seriesId } from '../../core/series.ts'
import type { Dataset, Need } from '../../domains/domain.ts'

/** Rows that are laid into the steps before other work has its turn. */
const sliceRows = 10_000

/** A series that is needed, while its steps are filled. */
interface Column {
  readonly need: Need
  readonly values: Float64Array
}

/**
 * Reads what several targets need, each series once: NaN where a step is absent, and the last value where two fall into
 * one. Returns one dataset a target. Needs of the same span are read in one pass of the store.
 */
export async function readDatasets(
  {
    readings,
    clock,
  }: { readonly readings: Pick<ReadingStore, 'scanMany'>; readonly clock: Pick<Clock, 'yield'> },
  wanted: readonly (readonly Need[])[],
): Promise<Dataset[]> {
  const columns = wanted.map((needs) => needs.map(emptyColumn))
  const passes = groupBy(columns.flat(), ({ need }) => `${need.from} ${need.to}`)
  for (const pass of passes.values()) {
    const { from, to } = pass[0]!.need
    const bySeries = groupBy(pass, ({ need }) => seriesId(need.series))
    let rows = 0
    const keys = pass.map(({ need }) => need.series)
    for await (const { series, at, value } of readings.scanMany(keys, from, to)) {
      for (const { need, values } of bySeries.get(seriesId(series)) ?? [])
        for (let row = 0; row < at.length; row++)
          values[Math.floor((at[row]! - from) / need.stepMs)] = value[row]!
      rows += at.length
      if (rows < sliceRows) continue
      rows = 0
      await clock.yield()
    }
  }
  return columns.map((ofTarget) =>
    Object.fromEntries(
      ofTarget.map(({ need: { name, from, stepMs }, values }) => [name, { start: from, stepMs, values }]),
    ),
  )
}

const emptyColumn = (need: Need): Column => ({
  need,
  values: new Float64Array(Math.max(0, Math.ceil((need.to - need.from) / need.stepMs))).fill(Number.NaN),
})

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
