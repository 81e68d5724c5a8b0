/**
 * What a tree is asked to make smaller. Raw scores lie one output after the other, each for all rows.
 * Gradients and hessians are those of the loss towards the raw score (Friedman 2001; Chen & Guestrin 2016), times the
 * row's weight.
 */
export interface Loss {
  readonly name: string
  /** Raw scores a row, and trees a round. */
  readonly outputs: number
  /** Whether the hessian of every row is its weight (so that without weights counting rows is enough). */
  readonly constantHessian: boolean
  /** Best constant raw scores for the first `rows` rows. */
  start(target: Float64Array, weight: Float64Array | undefined, rows: number): Float64Array
  /** Fills `gradient` (and `hessian`) of the first `rows` rows for output `k`. */
  gradients(out: GradientTask): void
  /** The gradient is scores less target, where there are no weights. */
  readonly residual?: true
  /** The quantile of the residuals that a leaf should hold, for losses whose Newton step is none. */
  readonly leafQuantile?: number
  /** Mean loss over the rows [from, to). */
  mean(
    scores: Float64Array,
    target: Float64Array,
    weight: Float64Array | undefined,
    from: number,
    to: number,
  ): number
}

export interface GradientTask {
  readonly scores: Float64Array
  readonly target: Float64Array
  readonly weight: Float64Array | undefined
  readonly output: number
  readonly rows: number
  readonly gradient: Float64Array
  readonly hessian: Float64Array
}

/** Half the squared error: the mean. */
export const squared: Loss = {
  name: 'squared',
  residual: true,
  outputs: 1,
  constantHessian: true,
  start: (target, weight, rows) => Float64Array.of(weightedMean(target, weight, rows)),
  gradients: ({ scores, target, weight, rows, gradient, hessian }) => {
    for (let row = 0; row < rows; row++) gradient[row] = scores[row]! - target[row]!
    applyWeight(weight, rows, gradient, hessian)
  },
  mean: (scores, target, weight, from, to) =>
    meanOver(weight, from, to, (row) => (scores[row]! - target[row]!) ** 2 / 2),
}

/** The pinball loss of Koenker & Bassett 1978: the alpha-quantile. With alpha 1/2 half the absolute error. */
export function pinball(name: string, alpha: number): Loss {
  return {
    name,
    outputs: 1,
    constantHessian: true,
    leafQuantile: alpha,
    start: (target, weight, rows) =>
      Float64Array.of(quantileOf(target.slice(0, rows), weight?.slice(0, rows), alpha)),
    gradients: ({ scores, target, weight, rows, gradient, hessian }) => {
      for (let row = 0; row < rows; row++) gradient[row] = scores[row]! < target[row]! ? -alpha : 1 - alpha
      applyWeight(weight, rows, gradient, hessian)
    },
    mean: (scores, target, weight, from, to) =>
      meanOver(weight, from, to, (row) => {
        const residual = target[row]! - scores[row]!
        return residual > 0 ? alpha * residual : (alpha - 1) * residual
      }),
  }
}

/** Log loss of two classes, target 0 or 1; the raw score is the log odds of class 1. */
export const logistic: Loss = {
  name: 'logistic',
  outputs: 1,
  constantHessian: false,
  start: (target, weight, rows) => {
    const share = clampShare(weightedMean(target, weight, rows))
    return Float64Array.of(Math.log(share / (1 - share)))
  },
  gradients: ({ scores, target, weight, rows, gradient, hessian }) => {
    for (let row = 0; row < rows; row++) {
      const p = sigmoid(scores[row]!)
      const w = weight === undefined ? 1 : weight[row]!
      gradient[row] = (p - target[row]!) * w
      hessian[row] = Math.max(p * (1 - p), 1e-16) * w
    }
  },
  mean: (scores, target, weight, from, to) =>
    // log(1 + e^s) - y s, without overflow
    meanOver(weight, from, to, (row) => {
      const s = scores[row]!
      return Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))) - target[row]! * s
    }),
}

/** Log loss of `classes` classes, target 0..classes-1; the raw scores go through softmax. */
export function softmax(classes: number): Loss {
  // K/(K-1) makes the diagonal Newton step as long as the full one (Friedman, Hastie, Tibshirani 2000)
  const factor = classes / (classes - 1)
  return {
    name: 'softmax',
    outputs: classes,
    constantHessian: false,
    start: (target, weight, rows) => {
      const sums = new Float64Array(classes)
      let total = 0
      for (let row = 0; row < rows; row++) {
        const w = weight === undefined ? 1 : weight[row]!
        sums[target[row]!]! += w
        total += w
      }
      return sums.map((sum) => Math.log(clampShare(sum / total)))
    },
    gradients: ({ scores, target, weight, output, rows, gradient, hessian }) => {
      const all = scores.length / classes
      for (let row = 0; row < rows; row++) {
        const p = Math.exp(scores[output * all + row]! - logSumExp(scores, row, classes, all))
        const w = weight === undefined ? 1 : weight[row]!
        gradient[row] = (p - (target[row] === output ? 1 : 0)) * w
        hessian[row] = Math.max(factor * p * (1 - p), 1e-16) * w
      }
    },
    mean: (scores, target, weight, from, to) => {
      const all = scores.length / classes
      return meanOver(weight, from, to, (row) => {
        return logSumExp(scores, row, classes, all) - scores[target[row]! * all + row]!
      })
    },
  }
}

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score))

/** log(sum(exp(scores))) of `count` scores from `at` on, `step` apart, without overflow. */
export function logSumExp(scores: Float64Array, at: number, count: number, step: number): number {
  const end = at + count * step
  let top = scores[at]!
  for (let k = at; k < end; k += step) top = Math.max(top, scores[k]!)
  let sum = 0
  for (let k = at; k < end; k += step) sum += Math.exp(scores[k]! - top)
  return top + Math.log(sum)
}

/**
 * The alpha-quantile: linear between order statistics (Hyndman & Fan 1996, type 7); with weights the smallest value
 * that at least the share alpha of the weight does not exceed. Reorders `values` where there are no weights.
 */
export function quantileOf(values: Float64Array, weight: Float64Array | undefined, alpha: number): number {
  if (values.length === 0) return 0
  if (weight === undefined) {
    const at = alpha * (values.length - 1)
    const below = Math.floor(at)
    const lower = select(values, below)
    if (at === below) return lower
    let upper = Number.POSITIVE_INFINITY
    for (let k = below + 1; k < values.length; k++) upper = Math.min(upper, values[k]!)
    return lower + (at - below) * (upper - lower)
  }
  const order = Int32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]! || a - b)
  let total = 0
  for (const row of order) total += weight[row]!
  let sum = 0
  for (const row of order) {
    sum += weight[row]!
    if (sum >= alpha * total) return values[row]!
  }
  return values[order[order.length - 1]!]!
}

/** The value of rank k; smaller ones end up before it, larger ones behind (Hoare 1961, "Find"). */
function select(values: Float64Array, k: number): number {
  let left = 0
  let right = values.length - 1
  while (left < right) {
    const pivot = medianOfThree(values[left]!, values[(left + right) >> 1]!, values[right]!)
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const held = values[i]!
      values[i++] = values[j]!
      values[j--] = held
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k]!
}

const medianOfThree = (a: number, b: number, c: number): number =>
  Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))

function applyWeight(
  weight: Float64Array | undefined,
  rows: number,
  gradient: Float64Array,
  hessian: Float64Array,
): void {
  if (weight === undefined) return
  for (let row = 0; row < rows; row++) {
    gradient[row]! *= weight[row]!
    hessian[row] = weight[row]!
  }
}

/** Mean of the first `rows` values. */
export function weightedMean(values: Float64Array, weight: Float64Array | undefined, rows: number): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < rows; row++) {
    const w = weight === undefined ? 1 : weight[row]!
    sum += values[row]! * w
    total += w
  }
  return sum / total
}

function meanOver(
  weight: Float64Array | undefined,
  from: number,
  to: number,
  loss: (row: number) => number,
): number {
  let sum = 0
  let total = 0
  for (let row = from; row < to; row++) {
    const w = weight === undefined ? 1 : weight[row]!
    sum += loss(row) * w
    total += w
  }
  return sum / total
}

/** A share that has a finite logit: one that never occurred is held to be one in a million. */
const clampShare = (share: number): number => Math.min(Math.max(share, 1e-6), 1 - 1e-6)
