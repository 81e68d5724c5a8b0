import type { Kysely } from 'kysely'
import type { ColumnTypes } from './columns.ts'
import { sql } from './kysely.ts'

/** Queued events become rows that come and go one by one; before, a whole queue was rewritten for each event. */
export async function eventRows(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('event_queue')
    .addColumn('id', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('function', text, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('event_queue_by_function').on('event_queue').column('function').execute()
  await sql`insert into event_queue (id, function, body)
    select row_number() over (order by name, place), name, body from queued_events`.execute(db)
  await db.schema.dropTable('queued_events').execute()
}
