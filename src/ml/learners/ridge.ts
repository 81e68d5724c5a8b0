/**
 * Linear regression with an L2 penalty (Hoerl and Kennard 1970): minimises the summed squared error + l2 |weights|^2
 * over standardised columns; the intercept is not penalised. The same objective as scikit-learn's Ridge with alpha = l2
 * on standardised columns. What trees cannot do, it does: it goes on in a straight line beyond what was seen.
 *
 * A missing value counts as the mean. A categorical column becomes one column a code seen in training.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner, Model } from '../learner.ts'
import { checkFrame, checkTarget } from './columns.ts'
import { design, dot, linear, type Term, termsOf } from './design.ts'
import { solvePositive } from './linear.ts'

export interface RidgeOptions {
  readonly l2: number
}

interface RidgeJson {
  readonly kind: 'ridge'
  readonly terms: readonly Term[]
  readonly weights: readonly number[]
  readonly intercept: number
}

export const ridge: Learner<RidgeOptions> = {
  name: 'ridge',
  task: 'regression',
  defaults: { l2: 1 },

  fit(frame, target, options) {
    const { l2 } = { ...ridge.defaults, ...options }
    if (!(l2 > 0)) throw new HomeostatError('data_invalid', { detail: `l2 must lie above 0, not ${l2}` })
    checkFrame(frame)
    const values = checkTarget(frame, target)
    const terms = termsOf(frame)
    const columns = design(frame, terms)
    const intercept = values.reduce((mean, value, row) => mean + (value - mean) / (row + 1), 0)
    const centred = values.map((value) => value - intercept)
    const right = Float64Array.from(columns, (column) => dot(column, centred))
    const gram = columns.map((a, i) =>
      Float64Array.from(columns, (b, j) => (j > i ? 0 : dot(a, b) + (i === j ? l2 : 0))),
    )
    // positive definite by the penalty; where rounding says otherwise, the mean is all that is known
    const weights = solvePositive(gram, right) ?? new Float64Array(terms.length)
    return new RidgeModel({ kind: 'ridge', terms, weights: [...weights], intercept })
  },

  load: (json) => new RidgeModel(json as RidgeJson),
}

class RidgeModel implements Model {
  readonly outputs = 1
  readonly #json: RidgeJson

  constructor(json: RidgeJson) {
    if (json.kind !== 'ridge')
      throw new HomeostatError('data_invalid', { detail: 'this is not a ridge regression' })
    this.#json = json
  }

  predict(frame: Frame): Float64Array {
    const { terms, weights, intercept } = this.#json
    return linear(design(frame, terms), Float64Array.of(...weights, intercept), frame.rows)
  }

  toJSON(): RidgeJson {
    return this.#json
  }
}
