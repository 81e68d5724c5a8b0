import type { RawBuilder, Transaction } from 'kysely'
import { batches } from './batches.ts'
import { sql } from './kysely.ts'
import type { Database, Row } from './schema.ts'

/**
 * Inserts nouns as rows; those whose `key` columns are there already are replaced. In order: the last of a key stays.
 * Rows are made statement by statement, so that much JSON does not keep the loop.
 */
export async function upsert<Table extends keyof Database, Noun>(
  db: Transaction<Database>,
  table: Table,
  key: readonly (keyof Row<Table> & string)[],
  nouns: Iterable<Noun>,
  rowOf: (noun: Noun, place: number) => Row<Table>,
): Promise<void> {
  for await (const rows of batches(map(nouns, rowOf), (row) => key.map((name) => row[name]).join('\u001f'))) {
    const columns = Object.keys(rows[0] ?? {}) as (keyof Row<Table> & string)[]
    const rest = columns.filter((column) => !key.includes(column))
    const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
    await sql`insert into ${sql.table(table)} (${names(columns)}) values ${sql.join(values)}
      on conflict (${names(key)}) do update set ${sql.join(rest.map(replaced))}`.execute(db)
  }
}

/** `set column = excluded.column` for each: the row that was to be inserted wins. */
export const excluded = (columns: readonly string[]): Record<string, RawBuilder<unknown>> =>
  Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)]))

const replaced = (column: string): RawBuilder<unknown> =>
  sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`

const names = (columns: readonly string[]): RawBuilder<unknown> =>
  sql.join(columns.map((column) => sql.ref(column)))

function* map<From, To>(items: Iterable<From>, work: (item: From, place: number) => To): Generator<To> {
  let place = 0
  for (const item of items) yield work(item, place++)
}
