import type { Target } from '../../core/target.ts'
import type { ForecastOutput, Learning, Steps } from '../../domains/domain.ts'

/** A target that a domain can learn. */
export interface Learnable {
  readonly learning: Learning
  readonly target: Target
}

/** New forecasts of one target, and the history that they were made from. */
export interface Predicted {
  readonly target: Learnable
  readonly steps: Steps
  readonly output: ForecastOutput
}
