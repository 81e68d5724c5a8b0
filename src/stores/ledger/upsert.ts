import { type RawBuilder, sql, type Transaction } from 'kysely'
import { batches } from './batches.ts'
import type { Database, Row } from './schema.ts'

/** Inserts the rows; those whose `key` columns are there already are replaced. In order: the last of a key stays. */
export async function upsert<Table extends keyof Database>(
  db: Transaction<Database>,
  table: Table,
  key: readonly (keyof Row<Table> & string)[],
  rows: readonly Row<Table>[],
): Promise<void> {
  const [first] = rows
  if (!first) return
  const columns = (Object.keys(first) as (keyof Row<Table> & string)[]).sort()
  const rest = columns.filter((column) => !key.includes(column))
  const head = sql`insert into ${sql.table(table)} (${names(columns)}) values `
  const tail = sql` on conflict (${names(key)}) do update set ${sql.join(rest.map(replaced))}`
  for (const batch of batches(rows, (row) => key.map((column) => row[column]).join('\u001f'))) {
    const values = batch.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
    await sql`${head}${sql.join(values)}${tail}`.execute(db)
  }
}

const names = (columns: readonly string[]): RawBuilder<unknown> =>
  sql.join(columns.map((name) => sql.ref(name)))

const replaced = (column: string): RawBuilder<unknown> =>
  sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`

/** `set column = excluded.column` for each: the row that was to be inserted wins. */
export const excluded = (columns: readonly string[]): Record<string, RawBuilder<unknown>> =>
  Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)]))
