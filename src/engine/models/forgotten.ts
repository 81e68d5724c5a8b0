import type { Card, SeriesKey } from '../../core/event.ts'
import type { ForgottenSpan } from '../../core/life.ts'
import type { NoteLedger } from '../../core/ports.ts'
import { compareSeries } from '../../core/series.ts'
import type { Steps } from '../../domains/domain.ts'

/** Spans that no model learns from and no forecast is judged by. The readings stay as they are. */
export class Forgotten {
  readonly #ledger: NoteLedger
  #spans: ForgottenSpan[] = []

  constructor(ledger: NoteLedger) {
    this.#ledger = ledger
  }

  async load(): Promise<void> {
    this.#spans = await this.#ledger.forgotten()
  }

  all(): readonly ForgottenSpan[] {
    return this.#spans
  }

  async add(span: ForgottenSpan): Promise<void> {
    await this.#ledger.putForgotten([span])
    await this.load()
  }

  /** Removes the span: models learn from it again. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.#ledger.removeForgotten(id)
    await this.load()
    return removed
  }

  removeSite(site: string): void {
    this.#spans = this.#spans.filter(({ series }) => series.site !== site)
  }

  /** Whether a model was trained on data that was forgotten later. */
  touches({ span, trainedAt }: Card, ...series: readonly SeriesKey[]): boolean {
    return this.#of(series).some(({ at, from, to }) => at >= trainedAt && from < span.to && to > span.from)
  }

  /** The same steps, NaN where a forgotten span of one of the series touches them. Their number is added to the repairs. */
  leaveOut(steps: Steps, ...series: readonly SeriesKey[]): Steps {
    const spans = this.#of(series)
    if (spans.length === 0) return steps
    const { start, stepMs, repairs } = steps
    let count = 0
    const values = steps.values.map((value, index) => {
      const from = start + index * stepMs
      const isForgotten = spans.some((span) => from < span.to && from + stepMs > span.from)
      if (isForgotten && !Number.isNaN(value)) count++
      return isForgotten ? Number.NaN : value
    })
    return { ...steps, values, repairs: { ...repairs, forgotten: count } }
  }

  #of(series: readonly SeriesKey[]): ForgottenSpan[] {
    return this.#spans.filter((span) => series.some((key) => compareSeries(key, span.series) === 0))
  }
}
