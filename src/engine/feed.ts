import type { Alert, Command, Forecast, PointPrediction, SeriesKey } from '../core/event.ts'
import type { IncidentChange } from '../core/incident.ts'
import type { Reading } from '../core/reading.ts'

/** News: what has just been committed (alerts and incidents: what is about to be). */
export type News =
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
  | { readonly kind: 'predictions'; readonly predictions: readonly PointPrediction[] }
  | { readonly kind: 'forecasts'; readonly forecasts: readonly Forecast[] }
  | { readonly kind: 'alerts'; readonly alerts: readonly Alert[] }
  | { readonly kind: 'incidents'; readonly changes: readonly IncidentChange[] }
  | { readonly kind: 'commands'; readonly commands: readonly Command[] }
  | { readonly kind: 'site_removed'; readonly site: string }
  /** People changed devices of the site; these series are gone. */
  | { readonly kind: 'devices'; readonly site: string; readonly removed: readonly SeriesKey[] }

export type Listener = (news: News) => void

/**
 * Sends news to all listeners. A listener must not block: it puts the news into its own bounded buffer and cuts a client
 * that does not drain. A listener that throws is dropped, so that it harms no other.
 */
export class Feed {
  readonly #listeners = new Set<Listener>()
  readonly #onDropped: (error: unknown) => void

  constructor(onDropped: (error: unknown) => void) {
    this.#onDropped = onDropped
  }

  get size(): number {
    return this.#listeners.size
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  publish(news: News): void {
    for (const listener of this.#listeners) {
      try {
        listener(news)
      } catch (error) {
        this.#listeners.delete(listener)
        this.#onDropped(error)
      }
    }
  }
}
