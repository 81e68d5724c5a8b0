/**
 * Logistic regression for two classes with an L2 penalty, by Newton's method (iteratively reweighted least squares,
 * McCullagh and Nelder 1989): minimises the summed log loss + l2 / 2 |weights|^2 over standardised columns; the
 * intercept is not penalised. The same objective as scikit-learn's with C = 1 / l2.
 *
 * A missing value counts as the mean. A categorical column becomes one column a code seen in training.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner, Model } from '../learner.ts'
import { checkFrame, checkTarget } from './columns.ts'
import { design, dot, linear, type Term, termsOf } from './design.ts'
import { solvePositive } from './linear.ts'

export interface LogisticOptions {
  readonly l2: number
  readonly stepsMax: number
}

interface LogisticJson {
  readonly kind: 'logistic'
  readonly terms: readonly Term[]
  readonly weights: readonly number[]
  readonly intercept: number
}

/** Newton's steps end when the gradient is this small a row. */
const tolerance = 1e-10

export const logistic: Learner<LogisticOptions> = {
  name: 'logistic',
  task: 'classification',
  defaults: { l2: 1, stepsMax: 100 },

  fit(frame, target, options) {
    const { l2, stepsMax } = { ...logistic.defaults, ...options }
    checkFrame(frame)
    const classes = checkTarget(frame, target)
    checkTwoClasses(classes)
    const terms = termsOf(frame)
    const beta = newton(design(frame, terms), classes, l2, stepsMax)
    return new LogisticModel({
      kind: 'logistic',
      terms,
      weights: [...beta.subarray(0, terms.length)],
      intercept: beta[terms.length]!,
    })
  },

  load: (json) => new LogisticModel(json as LogisticJson),
}

class LogisticModel implements Model {
  readonly outputs = 1
  readonly #json: LogisticJson

  constructor(json: LogisticJson) {
    if (json.kind !== 'logistic')
      throw new HomeostatError('data_invalid', { detail: 'this is not a logistic regression' })
    this.#json = json
  }

  predict(frame: Frame): Float64Array {
    const { terms, weights, intercept } = this.#json
    const beta = Float64Array.of(...weights, intercept)
    return linear(design(frame, terms), beta, frame.rows).map(sigmoid)
  }

  toJSON(): LogisticJson {
    return this.#json
  }
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

function newton(
  columns: readonly Float64Array[],
  classes: Float64Array,
  l2: number,
  stepsMax: number,
): Float64Array {
  const rows = classes.length
  const size = columns.length + 1
  const withOne = [...columns, new Float64Array(rows).fill(1)]
  const penalty = (at: number): number => (at < columns.length ? l2 : 0)
  let beta = new Float64Array(size)
  let loss = lossOf(columns, classes, beta, l2)
  for (let step = 0; step < stepsMax; step++) {
    const chance = linear(columns, beta, rows).map(sigmoid)
    const weight = chance.map((p) => Math.max(p * (1 - p), 1e-12))
    const error = chance.map((p, row) => p - classes[row]!)
    const gradient = Float64Array.from(withOne, (column, at) => dot(column, error) + penalty(at) * beta[at]!)
    if (gradient.every((value) => Math.abs(value) <= tolerance * rows)) break
    const hessian = withOne.map((a, i) => {
      const weighted = a.map((value, row) => value * weight[row]!)
      return Float64Array.from(withOne, (b, j) => (j > i ? 0 : dot(weighted, b) + (i === j ? penalty(i) : 0)))
    })
    const direction = solvePositive(hessian, gradient)
    if (!direction) break
    // a full step may overshoot where classes are nearly separable: halve it until the loss falls
    let share = 1
    let next = beta
    let nextLoss = Number.POSITIVE_INFINITY
    for (; share > 1e-6 && !(nextLoss <= loss); share /= 2) {
      next = beta.map((value, at) => value - share * direction[at]!)
      nextLoss = lossOf(columns, classes, next, l2)
    }
    if (!(nextLoss <= loss)) break
    beta = next
    loss = nextLoss
  }
  return beta
}

function lossOf(
  columns: readonly Float64Array[],
  classes: Float64Array,
  beta: Float64Array,
  l2: number,
): number {
  const logits = linear(columns, beta, classes.length)
  let loss = 0
  for (let row = 0; row < logits.length; row++) {
    const value = classes[row] === 1 ? logits[row]! : -logits[row]!
    loss += value > 0 ? Math.log1p(Math.exp(-value)) : -value + Math.log1p(Math.exp(value))
  }
  for (let at = 0; at < columns.length; at++) loss += (l2 / 2) * beta[at]! ** 2
  return loss
}

function checkTwoClasses(classes: Float64Array): void {
  const bad = classes.findIndex((value) => value !== 0 && value !== 1)
  if (bad >= 0)
    throw new HomeostatError('data_invalid', {
      detail: `logistic regression tells two classes apart, 0 and 1; the target is ${classes[bad]} at row ${bad + 1}`,
    })
  if (!classes.includes(0) || !classes.includes(1))
    throw new HomeostatError('data_invalid', {
      detail: `the target has one class only (${classes[0]}); there is nothing to tell apart`,
    })
}
