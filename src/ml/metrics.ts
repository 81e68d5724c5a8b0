/**
 * Scores of point forecasts and of intervals. Every function takes arrays of equal length, one value a row.
 *
 * Two kinds of bad input are told apart. What a caller did wrong (no rows, unequal lengths, a NaN or an infinity)
 * throws HomeostatError `data_invalid`. What the data leave undefined (R2 of a constant target, MASE of a flat
 * history, MAPE where every target is 0) gives NaN: there is no such figure, and 0 or 1 would be a lie.
 * The figures in the tests were made with scikit-learn 1.9.1.
 */
import { HomeostatError } from '../core/errors.ts'

/** Rows of a pair of columns, after the checks that all metrics share. `data_invalid` names the column and the row. */
export function checkedRows(columns: Readonly<Record<string, ArrayLike<number>>>): number {
  let rows = -1
  for (const [name, column] of Object.entries(columns)) {
    if (rows === -1) rows = column.length
    if (column.length !== rows)
      throw new HomeostatError('data_invalid', { detail: `${name} has ${column.length} rows, not ${rows}` })
    for (let row = 0; row < rows; row++)
      if (!Number.isFinite(column[row]))
        throw new HomeostatError('data_invalid', { detail: `${name} is ${column[row]} at row ${row + 1}` })
  }
  if (rows <= 0) throw new HomeostatError('data_invalid', { detail: 'there are no rows to score' })
  return rows
}

/** Mean absolute error, in the target's unit. */
export function mae(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  for (let row = 0; row < rows; row++) sum += Math.abs(actual[row]! - predicted[row]!)
  return sum / rows
}

/** Root mean squared error, in the target's unit. */
export function rmse(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  for (let row = 0; row < rows; row++) sum += (actual[row]! - predicted[row]!) ** 2
  return Math.sqrt(sum / rows)
}

/** Mean of predicted - actual, in the target's unit: above 0 the forecast is too high. */
export function bias(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  for (let row = 0; row < rows; row++) sum += predicted[row]! - actual[row]!
  return sum / rows
}

/** Mean absolute percentage error, in percent, over the rows whose target is not 0; NaN where all are 0. */
export function mape(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  let used = 0
  for (let row = 0; row < rows; row++) {
    const value = actual[row]!
    if (value === 0) continue
    sum += Math.abs((value - predicted[row]!) / value)
    used++
  }
  return (100 * sum) / used
}

/** Symmetric MAPE in percent, 0..200, as in the M4 competition; a row where both are 0 counts as 0. */
export function smape(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const size = Math.abs(actual[row]!) + Math.abs(predicted[row]!)
    if (size > 0) sum += Math.abs(actual[row]! - predicted[row]!) / size
  }
  return (200 * sum) / rows
}

/** Share of the variance explained; below 0 the mean would have been better. NaN where the target is constant. */
export function r2(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let mean = 0
  for (let row = 0; row < rows; row++) mean += (actual[row]! - mean) / (row + 1)
  let residual = 0
  let total = 0
  for (let row = 0; row < rows; row++) {
    residual += (actual[row]! - predicted[row]!) ** 2
    total += (actual[row]! - mean) ** 2
  }
  return total === 0 ? Number.NaN : 1 - residual / total
}

/**
 * The scale of MASE and MSIS: mean |y(t) - y(t - season)| over the training history, as in the M4 competition
 * (Makridakis, Spiliotis and Assimakopoulos 2020). Pairs with a missing value (NaN) are left out. NaN where no pair
 * is known or where the history is flat over a season: then there is nothing to measure against.
 */
export function seasonalScale(history: ArrayLike<number>, season: number): number {
  if (!Number.isInteger(season) || season < 1)
    throw new HomeostatError('data_invalid', {
      detail: `the season must be a whole number of steps, not ${season}`,
    })
  let sum = 0
  let pairs = 0
  for (let at = season; at < history.length; at++) {
    const step = Math.abs(history[at]! - history[at - season]!)
    if (!Number.isFinite(step)) continue
    sum += step
    pairs++
  }
  return sum > 0 ? sum / pairs : Number.NaN
}

/** Mean absolute scaled error (Hyndman and Koehler 2006), M4 definition: below 1 beats the in-sample seasonal naive. */
export function mase(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  history: ArrayLike<number>,
  season: number,
): number {
  return mae(actual, predicted) / seasonalScale(history, season)
}

/** Mean pinball loss of a forecast of the given quantile (0..1), in the target's unit. Half the MAE at 0.5. */
export function pinball(actual: ArrayLike<number>, predicted: ArrayLike<number>, quantile: number): number {
  checkShare('the quantile', quantile)
  const rows = checkedRows({ actual, predicted })
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const above = actual[row]! - predicted[row]!
    sum += above >= 0 ? quantile * above : (quantile - 1) * above
  }
  return sum / rows
}

/** Share of the rows whose target lies inside [lo, hi], ends included. */
export function coverage(actual: ArrayLike<number>, lo: ArrayLike<number>, hi: ArrayLike<number>): number {
  const rows = checkedRows({ actual, lo, hi })
  let inside = 0
  for (let row = 0; row < rows; row++) if (actual[row]! >= lo[row]! && actual[row]! <= hi[row]!) inside++
  return inside / rows
}

/** Mean width of the intervals, in the target's unit. */
export function meanWidth(lo: ArrayLike<number>, hi: ArrayLike<number>): number {
  const rows = checkedRows({ lo, hi })
  let sum = 0
  for (let row = 0; row < rows; row++) sum += hi[row]! - lo[row]!
  return sum / rows
}

/**
 * Mean interval score (Gneiting and Raftery 2007) of central intervals of the given level (0.95 for 95 %), in the
 * target's unit: the width, plus 2 / (1 - level) times what the target lies outside. Smaller is better.
 */
export function intervalScore(
  actual: ArrayLike<number>,
  lo: ArrayLike<number>,
  hi: ArrayLike<number>,
  level: number,
): number {
  checkShare('the level', level)
  const rows = checkedRows({ actual, lo, hi })
  const penalty = 2 / (1 - level)
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const value = actual[row]!
    const below = Math.max(0, lo[row]! - value)
    const above = Math.max(0, value - hi[row]!)
    sum += hi[row]! - lo[row]! + penalty * (below + above)
  }
  return sum / rows
}

/** Mean scaled interval score, M4 definition: the interval score over the seasonal scale of the history. */
export function msis(
  actual: ArrayLike<number>,
  lo: ArrayLike<number>,
  hi: ArrayLike<number>,
  level: number,
  history: ArrayLike<number>,
  season: number,
): number {
  return intervalScore(actual, lo, hi, level) / seasonalScale(history, season)
}

/**
 * Population stability index of `actual` against `expected`: how far a feature has drifted. Bins are quantiles of
 * `expected`; a bin's share is kept above 0 by half a row, so that an empty bin gives a large but finite figure.
 * By custom: below 0.1 the same, above 0.25 another population. Equal values fall into one bin.
 */
export function psi(expected: ArrayLike<number>, actual: ArrayLike<number>, bins = 10): number {
  checkedRows({ expected })
  checkedRows({ actual })
  const sorted = Float64Array.from(expected).sort()
  const edges: number[] = []
  for (let bin = 1; bin < bins; bin++) {
    const edge = sorted[Math.ceil((bin * sorted.length) / bins) - 1]!
    if (edge !== edges.at(-1) && edge < sorted[sorted.length - 1]!) edges.push(edge)
  }
  const before = shares(expected, edges)
  const now = shares(actual, edges)
  let sum = 0
  for (let bin = 0; bin < before.length; bin++)
    sum += (now[bin]! - before[bin]!) * Math.log(now[bin]! / before[bin]!)
  return sum
}

/** The usual figures of a regression in one go. */
export interface RegressionScores {
  readonly rows: number
  readonly mae: number
  readonly rmse: number
  readonly bias: number
  readonly mape: number
  readonly smape: number
  readonly r2: number
}

export function regressionScores(actual: ArrayLike<number>, predicted: ArrayLike<number>): RegressionScores {
  return {
    rows: checkedRows({ actual, predicted }),
    mae: mae(actual, predicted),
    rmse: rmse(actual, predicted),
    bias: bias(actual, predicted),
    mape: mape(actual, predicted),
    smape: smape(actual, predicted),
    r2: r2(actual, predicted),
  }
}

function checkShare(what: string, share: number): void {
  if (!(share > 0 && share < 1))
    throw new HomeostatError('data_invalid', { detail: `${what} must lie between 0 and 1, not ${share}` })
}

/** Share of the values in each bin (edge[i - 1], edge[i]], each at least half a row. */
function shares(values: ArrayLike<number>, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length + 1)
  for (let row = 0; row < values.length; row++) {
    let bin = 0
    while (bin < edges.length && values[row]! > edges[bin]!) bin++
    counts[bin]!++
  }
  return counts.map((count) => Math.max(count, 0.5) / values.length)
}
