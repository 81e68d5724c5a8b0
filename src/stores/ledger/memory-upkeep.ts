/** What a part of the ledger in memory does beside its port. */
export interface Upkeep {
  readonly removeSite: (site: string) => void
  /** Drops what is older than `keepFrom`, logged forecasts older than `forecastsFrom`, and thins those before `thinBefore`. */
  readonly dropBefore: (keepFrom: number, forecastsFrom: number, thinBefore: number) => void
}

export function removeWhere<Key, Row>(rows: Map<Key, Row>, gone: (row: Row) => boolean): number {
  let removed = 0
  for (const [key, row] of rows) if (gone(row) && rows.delete(key)) removed++
  return removed
}

/** Order of texts by code unit. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
