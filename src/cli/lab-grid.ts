/** Regular steps out of the times of a file, however they stand there: in any order, doubled, with gaps. */
import { HomeostatError } from '../core/errors.ts'
import type { StepTimes } from '../ml/civil.ts'
import type { Series } from '../ml/forecast/series.ts'
import { type LabTable, numberColumn, readsAsTimes, timeColumn } from './lab-table.ts'

/** A series, and where its steps lie in the file's own measure: ms, or a plain number that counts. */
export interface PlacedSeries extends Series {
  readonly start?: number
  readonly step?: number
}

export interface Grid {
  readonly start: number
  readonly step: number
  /** Where places are times. */
  readonly times: { readonly times?: StepTimes }
  /** One value a step: the mean of those that fall to it, NaN where none does. */
  place(values: Float64Array): Float64Array
}

/** Places of rows: UTC ms with the zone of their calendar, or plain numbers that count steps. */
export interface Places {
  readonly at: Float64Array
  readonly zone?: string
}

/** More steps than this are no series of regular steps any more. */
const stepsMax = 5_000_000

/** The column as times, or as plain numbers where it holds those. Throws `column_unknown` or `data_invalid`. */
export function placeColumn(table: LabTable, column: string, zone: string): Places {
  if (readsAsTimes(table, column)) return { at: timeColumn(table, column, zone), zone }
  const at = numberColumn(table, column)
  const bad = at.findIndex((place) => Number.isNaN(place))
  if (bad >= 0)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}, line ${table.lines[bad]}: there is no time in the column ${column}`,
    })
  return { at }
}

/** The step is the median distance of two places. `note` is told of gaps and of places that stand there twice. */
export function gridOf(
  name: string,
  column: string,
  { at, zone }: Places,
  note: (sentence: string) => void,
): Grid {
  const sorted = Float64Array.from(new Set(at)).sort()
  const distances = sorted.subarray(1).map((place, k) => place - sorted[k]!)
  if (distances.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${name}: the column ${column} holds a single time, which makes no series`,
    })
  const step = distances.slice().sort()[distances.length >> 1]!
  const start = sorted[0]!
  const steps = Math.round((sorted[sorted.length - 1]! - start) / step) + 1
  const shown = zone === undefined ? String(step) : `${step / 1000} s`
  if (steps > stepsMax)
    throw new HomeostatError('data_invalid', {
      detail: `${name}: steps of ${shown} from the first to the last time would be ${steps}; at most ${stepsMax} are taken`,
    })
  const stepOf = (place: number): number => Math.round((place - start) / step)
  const filled = new Set(sorted.map(stepOf)).size
  if (at.length > filled)
    note(`${name}: ${at.length - filled} of ${at.length} rows share a step of ${shown}; their mean is taken.`)
  if (steps > filled) note(`${name}: ${steps - filled} of ${steps} steps of ${shown} are missing.`)
  return {
    start,
    step,
    times: zone === undefined ? {} : { times: { startMs: start, stepMs: step, zone } },
    place(values) {
      const sums = new Float64Array(steps)
      const counts = new Float64Array(steps)
      for (const [row, value] of values.entries()) {
        if (Number.isNaN(value)) continue
        const nth = stepOf(at[row]!)
        sums[nth]! += value
        counts[nth]!++
      }
      return sums.map((sum, nth) => (counts[nth]! > 0 ? sum / counts[nth]! : Number.NaN))
    },
  }
}

/**
 * What came after a series, one value a step of the horizon: by place where both have one, else in order. NaN where
 * the file does not say. Throws `data_invalid` where the file lacks the series.
 */
export function actualsFor(
  series: PlacedSeries,
  files: readonly PlacedSeries[],
  horizon: number,
): Float64Array {
  const found = files.find(({ id }) => id === series.id)
  if (!found) throw new HomeostatError('data_invalid', { detail: `the actuals hold no series ${series.id}` })
  const { start, step = 1 } = series
  if (start === undefined || found.start === undefined)
    return Float64Array.from({ length: horizon }, (_, nth) => found.values[nth] ?? Number.NaN)
  const own = found.step ?? step
  return Float64Array.from({ length: horizon }, (_, nth) => {
    const place = start + (series.values.length + nth) * step
    return found.values[Math.round((place - found.start!) / own)] ?? Number.NaN
  })
}
