import type { Forecast, PointPrediction } from '../core/event.ts'
import type { Reading } from '../core/reading.ts'
import type { LiveModel } from '../domains/domain.ts'

/** Hands each reading to the live models of its metric. */
export class Predictor {
  readonly #models: readonly LiveModel[]
  readonly #byMetric = new Map<string, LiveModel[]>()

  constructor(models: readonly LiveModel[]) {
    this.#models = models
    for (const model of models) {
      for (const metric of model.metrics) {
        this.#byMetric.set(metric, [...(this.#byMetric.get(metric) ?? []), model])
      }
    }
  }

  observe(reading: Reading, now: number, into: PointPrediction[]): void {
    const models = this.#byMetric.get(reading.metric)
    if (!models) return
    for (const model of models) {
      const prediction = model.observe(reading, now)
      if (prediction) into.push(prediction)
    }
  }

  use(forecast: Forecast): void {
    for (const model of this.#models) model.use(forecast)
  }

  removeSite(site: string): void {
    for (const model of this.#models) model.removeSite(site)
  }
}
