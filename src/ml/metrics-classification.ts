/**
 * Scores of classifications. `actual` holds classes 0..K-1. Probabilities come as `Model.predict` gives them: with
 * `outputs` 1 the probability of class 1, else K numbers a row, row-major. Bad input throws HomeostatError
 * `data_invalid`; a figure that the data leave undefined (ROC-AUC of a single class) is NaN. See metrics.ts.
 */
import { HomeostatError } from '../core/errors.ts'
import { checkedRows } from './metrics.ts'

/** Probabilities closer to 0 or 1 than this count as this in the logarithmic loss, so that it stays finite. */
const logLossFloor = 1e-15

/** The most probable class a row; with one output, 1 from `threshold` on. The lower class wins a tie. */
export function classesOf(probabilities: ArrayLike<number>, outputs = 1, threshold = 0.5): Float64Array {
  const rows = probabilities.length / outputs
  const classes = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    if (outputs === 1) {
      classes[row] = probabilities[row]! >= threshold ? 1 : 0
      continue
    }
    let best = 0
    for (let k = 1; k < outputs; k++)
      if (probabilities[row * outputs + k]! > probabilities[row * outputs + best]!) best = k
    classes[row] = best
  }
  return classes
}

/** Counts, `[actual][predicted]`, of classes 0..K-1, K being one more than the largest class seen in either. */
export function confusion(actual: ArrayLike<number>, predicted: ArrayLike<number>): number[][] {
  const rows = checkedRows({ actual, predicted })
  checkClasses('actual', actual)
  checkClasses('predicted', predicted)
  let size = 2
  for (let row = 0; row < rows; row++) size = Math.max(size, actual[row]! + 1, predicted[row]! + 1)
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (let row = 0; row < rows; row++) counts[actual[row]!]![predicted[row]!]!++
  return counts
}

/** Share of the rows whose class was met. */
export function accuracy(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = checkedRows({ actual, predicted })
  let met = 0
  for (let row = 0; row < rows; row++) if (actual[row] === predicted[row]) met++
  return met / rows
}

/** Mean recall over the classes that occur: 1 / K for one who always says the same. */
export function balancedAccuracy(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const counts = confusion(actual, predicted)
  let sum = 0
  let classes = 0
  counts.forEach((row, k) => {
    const occurs = row.reduce((a, b) => a + b, 0)
    if (occurs === 0) return
    sum += row[k]! / occurs
    classes++
  })
  return sum / classes
}

export interface PrecisionRecall {
  /** Share of the alarms that were right; NaN where there was none. */
  readonly precision: number
  /** Share of the events that were found; NaN where there was none. */
  readonly recall: number
  /** Harmonic mean of the two; 0 where nothing was found, NaN where there was nothing to find and nothing was claimed. */
  readonly f1: number
}

/** Precision, recall and F1 of one class against the rest. */
export function precisionRecall(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  positive = 1,
): PrecisionRecall {
  const rows = checkedRows({ actual, predicted })
  let hit = 0
  let claimed = 0
  let occurs = 0
  for (let row = 0; row < rows; row++) {
    const is = actual[row] === positive
    const said = predicted[row] === positive
    if (is) occurs++
    if (said) claimed++
    if (is && said) hit++
  }
  return { precision: hit / claimed, recall: hit / occurs, f1: (2 * hit) / (claimed + occurs) }
}

/**
 * The same over all classes: the plain mean of each class against the rest, of those that occur or are claimed. What was
 * never claimed has precision 0, and what never occurs recall 0, as scikit-learn's macro averages count them.
 */
export function macroPrecisionRecall(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
): PrecisionRecall {
  const classes = new Set([...Array.from(actual), ...Array.from(predicted)])
  const each = [...classes].map((one) => precisionRecall(actual, predicted, one))
  const mean = (of: (one: PrecisionRecall) => number): number =>
    each.reduce((sum, one) => sum + (of(one) || 0), 0) / each.length
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
  }
}

/**
 * Brier score (1950). With one output the mean of (p - class)^2, 0..1; with K outputs summed over the classes, 0..2.
 */
export function brier(actual: ArrayLike<number>, probabilities: ArrayLike<number>, outputs = 1): number {
  const rows = checkedProbabilities(actual, probabilities, outputs)
  let sum = 0
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < outputs; k++) {
      const is = actual[row] === (outputs === 1 ? 1 : k) ? 1 : 0
      sum += (probabilities[row * outputs + k]! - is) ** 2
    }
  return sum / rows
}

/** Mean of -ln(probability given to the class that came), in nats. */
export function logLoss(actual: ArrayLike<number>, probabilities: ArrayLike<number>, outputs = 1): number {
  const rows = checkedProbabilities(actual, probabilities, outputs)
  let sum = 0
  for (let row = 0; row < rows; row++) {
    let given = probabilities[outputs === 1 ? row : row * outputs + actual[row]!]!
    if (outputs === 1 && actual[row] === 0) given = 1 - given
    sum -= Math.log(Math.min(1 - logLossFloor, Math.max(logLossFloor, given)))
  }
  return sum / rows
}

/**
 * Expected calibration error (Naeini 2015, Guo 2017): bins of equal width, the mean over the rows of
 * |mean probability - share that came true| of the row's bin. With one output for the probability of class 1,
 * with K outputs for that of the most probable class.
 */
export function ece(
  actual: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  outputs = 1,
  bins = 10,
): number {
  const rows = checkedProbabilities(actual, probabilities, outputs)
  const said = new Float64Array(bins)
  const came = new Float64Array(bins)
  const top = outputs === 1 ? undefined : classesOf(probabilities, outputs)
  for (let row = 0; row < rows; row++) {
    const claim = top?.[row] ?? 1
    const probability = probabilities[outputs === 1 ? row : row * outputs + claim]!
    const bin = Math.min(bins - 1, Math.floor(probability * bins))
    said[bin]! += probability
    if (actual[row] === claim) came[bin]!++
  }
  let sum = 0
  for (let bin = 0; bin < bins; bin++) sum += Math.abs(said[bin]! - came[bin]!)
  return sum / rows
}

/**
 * Area under the ROC curve: the probability that a positive row scores above a negative one, ties counting half
 * (Mann-Whitney). Scores may be any numbers. NaN where only one class occurs.
 */
export function rocAuc(actual: ArrayLike<number>, scores: ArrayLike<number>): number {
  const rows = checkedRows({ actual, scores })
  checkBinary(actual)
  const order = orderBy(scores)
  let positives = 0
  let rankSum = 0
  for (let from = 0; from < rows; ) {
    let to = from
    let here = 0
    while (to < rows && scores[order[to]!] === scores[order[from]!]) here += actual[order[to++]!]!
    positives += here
    rankSum += (here * (from + 1 + to)) / 2 // ties share the mean of their ranks
    from = to
  }
  const negatives = rows - positives
  if (positives === 0 || negatives === 0) return Number.NaN
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

/**
 * Area under the precision-recall curve as average precision, the sum of precision x gain in recall over the
 * thresholds, without interpolation. NaN where no row is positive.
 */
export function averagePrecision(actual: ArrayLike<number>, scores: ArrayLike<number>): number {
  const rows = checkedRows({ actual, scores })
  checkBinary(actual)
  const order = orderBy(scores)
  let positives = 0
  for (let row = 0; row < rows; row++) positives += actual[row]!
  if (positives === 0) return Number.NaN
  let hits = 0
  let sum = 0
  for (let to = rows; to > 0; ) {
    let from = to
    let here = 0
    while (from > 0 && scores[order[from - 1]!] === scores[order[to - 1]!]) here += actual[order[--from]!]!
    hits += here
    sum += here * (hits / (rows - from))
    to = from
  }
  return sum / positives
}

/**
 * The usual figures of a classification in one go. Of more than two classes precision, recall and F1 are means over the
 * classes, and the areas under curves, which need two, are NaN.
 */
export interface ClassificationScores {
  readonly rows: number
  readonly accuracy: number
  readonly balancedAccuracy: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly brier: number
  readonly logLoss: number
  readonly ece: number
  readonly rocAuc: number
  readonly averagePrecision: number
}

export function classificationScores(
  actual: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  outputs = 1,
): ClassificationScores {
  const rows = checkedProbabilities(actual, probabilities, outputs)
  const predicted = classesOf(probabilities, outputs)
  const binary = outputs === 1
  return {
    rows,
    accuracy: accuracy(actual, predicted),
    balancedAccuracy: balancedAccuracy(actual, predicted),
    ...(binary ? precisionRecall(actual, predicted) : macroPrecisionRecall(actual, predicted)),
    brier: brier(actual, probabilities, outputs),
    logLoss: logLoss(actual, probabilities, outputs),
    ece: ece(actual, probabilities, outputs),
    rocAuc: binary ? rocAuc(actual, probabilities) : Number.NaN,
    averagePrecision: binary ? averagePrecision(actual, probabilities) : Number.NaN,
  }
}

function checkedProbabilities(
  actual: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  outputs: number,
): number {
  const rows = checkedRows({ actual })
  if (probabilities.length !== rows * outputs)
    throw new HomeostatError('data_invalid', {
      detail: `there are ${probabilities.length} probabilities for ${rows} rows of ${outputs}`,
    })
  checkClasses('actual', actual, outputs === 1 ? 2 : outputs)
  for (let at = 0; at < probabilities.length; at++)
    if (!(probabilities[at]! >= 0 && probabilities[at]! <= 1))
      throw new HomeostatError('data_invalid', {
        detail: `the probability at row ${Math.floor(at / outputs) + 1} is ${probabilities[at]}`,
      })
  return rows
}

function checkClasses(name: string, classes: ArrayLike<number>, count = 10_000): void {
  for (let row = 0; row < classes.length; row++) {
    const value = classes[row]!
    if (!Number.isInteger(value) || value < 0 || value >= count)
      throw new HomeostatError('data_invalid', {
        detail: `${name} must hold classes 0..${count - 1}, but is ${value} at row ${row + 1}`,
      })
  }
}

const checkBinary = (actual: ArrayLike<number>): void => checkClasses('actual', actual, 2)

/** Row numbers by rising score. */
const orderBy = (scores: ArrayLike<number>): Uint32Array =>
  Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!)
