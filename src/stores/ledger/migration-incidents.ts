import type { Kysely } from 'kysely'
import { type ColumnTypes, target } from './columns.ts'

/** Incidents and maintenance windows. Alerts of before get their incidents when the hub starts. */
export async function incidents(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('incidents')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .$call(target(text))
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('level', text, (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('incidents_by_since').on('incidents').columns(['since', 'id']).execute()
  await db.schema.createIndex('incidents_by_ended_at').on('incidents').column('ended_at').execute()
  await db.schema
    .createTable('maintenance_windows')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('from', 'bigint', (column) => column.notNull())
    .addColumn('to', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
}
