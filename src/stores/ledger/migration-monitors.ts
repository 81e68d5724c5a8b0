import type { Kysely } from 'kysely'
import { type ColumnTypes, target } from './columns.ts'

/** Where monitors were when they were saved, and what must be derived again. */
export async function monitors(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('monitor_states')
    .$call(target(text))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('monitor_states_key', ['site', 'domain', 'subject'])
    .execute()
  await db.schema
    .createTable('dirty_spans')
    .$call(target(text))
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('dirty_spans_key', ['site', 'domain', 'subject'])
    .execute()
}
