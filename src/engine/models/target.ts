import type { Series, SeriesKey } from '../../core/event.ts'
import type { ForecastOutput, Learning, Steps } from '../../domains/domain.ts'

/** What is forecast, of which series it is made, and by whose rules. */
export interface Target {
  readonly learning: Learning
  readonly source: Series
  readonly target: SeriesKey
}

/** What one target said, and on what grounds. */
export interface Spoken {
  readonly target: Target
  readonly steps: Steps
  readonly output: ForecastOutput
}
