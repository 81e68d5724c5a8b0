import { setImmediate } from 'node:timers/promises'

/**
 * Rows of one statement. A row costs the same in any number above some dozens, so this is few enough that the loop,
 * which a statement of SQLite blocks, is free again within milliseconds.
 */
export const rowsPerStatement = 100

/**
 * Cuts rows into statements, and lets the loop breathe between them. A statement never names a key twice, which
 * PostgreSQL would refuse: a repeated key begins the next one, so that the result is as if the rows had come one by one.
 */
export async function* batches<Row>(
  rows: Iterable<Row>,
  keyOfRow?: (row: Row) => string,
): AsyncGenerator<Row[]> {
  let batch: Row[] = []
  const keys = new Set<string>()
  for (const row of rows) {
    const key = keyOfRow?.(row)
    if (batch.length === rowsPerStatement || (key !== undefined && keys.has(key))) {
      yield batch
      await setImmediate()
      batch = []
      keys.clear()
    }
    if (key !== undefined) keys.add(key)
    batch.push(row)
  }
  if (batch.length > 0) yield batch
}
