/** Requests to live models since the hub started. */
export interface Predicted {
  readonly requests: number
  /** Requests of more than one row. */
  readonly batches: number
  readonly rows: number
  /** Total time of the answers. */
  readonly ms: number
}

const none: Predicted = { requests: 0, batches: 0, rows: 0, ms: 0 }

/** Counts by site, so that a key reveals nothing about the sites outside its reach. */
export class PredictionCounts {
  readonly #sites = new Map<string, Predicted>()

  add(site: string, rows: number, ms: number): void {
    const one = { requests: 1, batches: rows > 1 ? 1 : 0, rows, ms }
    this.#sites.set(site, sum(this.#sites.get(site) ?? none, one))
  }

  /** Of these sites; null: of all. */
  of(sites: readonly string[] | null): Predicted {
    const counts = [...this.#sites].filter(([site]) => sites === null || sites.includes(site))
    return counts.reduce((total, [, one]) => sum(total, one), none)
  }
}

const sum = (a: Predicted, b: Predicted): Predicted => ({
  requests: a.requests + b.requests,
  batches: a.batches + b.batches,
  rows: a.rows + b.rows,
  ms: a.ms + b.ms,
})
