import { HomeostatError } from '../../core/errors.ts'
import { checkedClasses, checkedTarget } from './boosting/check.ts'
import { fitEnsemble } from './boosting/fit.ts'
import { type Loss, logistic, pinball, softmax, squared } from './boosting/losses.ts'
import { loadModel, type TreeLearner } from './boosting/model.ts'
import { type BoostingOptions, type ClassifierOptions, defaults } from './boosting/options.ts'

/**
 * Histogram gradient boosting of regression trees (Friedman 2001; histograms, leaf-wise growth and categories as in
 * Ke et al. 2017, "LightGBM"; missing values and regularisation as in Chen & Guestrin 2016, "XGBoost").
 * Target: any finite numbers; `loss` says what of their distribution is learnt: mean, median or a quantile.
 *
 * @example boosting.fit(frame, target, { loss: 'quantile', alpha: 0.9 }).predict(frame)
 */
export const boosting: TreeLearner<BoostingOptions> = {
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
export const boostingClassifier: TreeLearner<ClassifierOptions> = {
  name: 'boosting-classifier',
  task: 'classification',
  defaults: classifierDefaults,
  fit: (frame, target, options = {}) => {
    const { classes, count } = checkedClasses(checkedTarget(frame, target))
    const all = { ...classifierDefaults, ...options }
    return fitEnsemble(frame, classes, count === 2 ? logistic : softmax(count), all)
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
