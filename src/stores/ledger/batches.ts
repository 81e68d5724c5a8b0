/** Rows of one statement; times the widest table's columns it stays far below SQLite's 32,766 parameters. */
export const rowsPerStatement = 500

/**
 * Cuts rows into statements. A statement never names a key twice, which PostgreSQL would refuse:
 * a repeated key begins the next one, so that the result is as if the rows had come one by one.
 */
export function* batches<Row>(rows: readonly Row[], keyOfRow: (row: Row) => string): Generator<Row[]> {
  let batch: Row[] = []
  const keys = new Set<string>()
  for (const row of rows) {
    const key = keyOfRow(row)
    if (batch.length === rowsPerStatement || keys.has(key)) {
      yield batch
      batch = []
      keys.clear()
    }
    keys.add(key)
    batch.push(row)
  }
  if (batch.length > 0) yield batch
}
