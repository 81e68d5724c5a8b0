import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner } from '../learner.ts'
import { fitEnsemble } from './boosting/fit.ts'
import { type Loss, logistic, pinball, softmax, squared } from './boosting/losses.ts'
import { type BoostingModel, loadModel } from './boosting/model.ts'
import { type BoostingOptions, type ClassifierOptions, defaults } from './boosting/options.ts'

/**
 * Histogram gradient boosting of regression trees (Friedman 2001; histograms, leaf-wise growth and categories as in
 * Ke et al. 2017, "LightGBM"; missing values and regularisation as in Chen & Guestrin 2016, "XGBoost").
 * Target: any finite numbers; `loss` says what of their distribution is learnt: mean, median or a quantile.
 *
 * @example boosting.fit(frame, target, { loss: 'quantile', alpha: 0.9 }).predict(frame)
 */
export const boosting: Learner<BoostingOptions> & { load(json: unknown): BoostingModel } = {
  name: 'boosting',
  task: 'regression',
  defaults,
  fit: (frame, target, options = {}) => {
    const all = { ...defaults, ...options }
    return fitEnsemble(frame, checkedTarget(frame, target), regressionLoss(all), all)
  },
  load: (json) => loadModel(json, ['squared', 'absolute', 'quantile']),
}

const { loss: _loss, alpha: _alpha, ...classifierDefaults } = defaults

/**
 * The same for classes 0..K-1: log loss, one tree a round for two classes, K trees a round for more. Gives the
 * probability of class 1, or of each class.
 */
export const boostingClassifier: Learner<ClassifierOptions> & { load(json: unknown): BoostingModel } = {
  name: 'boosting-classifier',
  task: 'classification',
  defaults: classifierDefaults,
  fit: (frame, target, options = {}) => {
    const classes = checkedTarget(frame, target)
    const all = { ...classifierDefaults, ...options }
    return fitEnsemble(frame, classes, classLoss(classes), all)
  },
  load: (json) => loadModel(json, ['logistic', 'softmax']),
}

function regressionLoss({ loss, alpha }: BoostingOptions): Loss {
  if (loss === 'squared') return squared
  if (loss === 'absolute') return pinball('absolute', 0.5)
  if (!(alpha > 0 && alpha < 1)) {
    throw new HomeostatError('data_invalid', {
      detail: `The quantile alpha must lie between 0 and 1, not ${alpha}`,
    })
  }
  return pinball('quantile', alpha)
}

function classLoss(classes: Float64Array): Loss {
  let top = 1
  for (const [row, value] of classes.entries()) {
    if (!Number.isInteger(value) || value < 0 || value > 1000) {
      const detail = `The class in row ${row + 1} is ${value}; classes are whole numbers from 0 on`
      throw new HomeostatError('data_invalid', { detail })
    }
    top = Math.max(top, value)
  }
  return top === 1 ? logistic : softmax(top + 1)
}

/** The target if it can be learnt from. */
export function checkedTarget(frame: Frame, target: Float64Array | undefined): Float64Array {
  if (target === undefined || frame.rows === 0) {
    throw new HomeostatError('data_invalid', { detail: 'There are no rows to learn from' })
  }
  if (target.length !== frame.rows) {
    const detail = `The target has ${target.length} values, the table ${frame.rows} rows`
    throw new HomeostatError('data_invalid', { detail })
  }
  const bad = target.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new HomeostatError('data_invalid', { detail: `The target is not a number in row ${bad + 1}` })
  }
  return target
}
