import type { Kysely } from 'kysely'
import type { ColumnTypes } from './columns.ts'
import { sql } from './kysely.ts'

/** What people say of devices, what they deleted and merged, and may take back. */
export async function devices(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  for (const column of ['name', 'role', 'fixed'] as const)
    await db.schema.alterTable('devices').addColumn(column, text).execute()
  await db.schema
    .alterTable('devices')
    .addColumn('hidden', 'smallint', (column) => column.notNull().defaultTo(0).check(sql`hidden in (0, 1)`))
    .execute()
  await db.schema
    .createTable('removals')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('merges')
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('device', text, (column) => column.notNull())
    .addColumn('into', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('merges_key', ['site', 'device'])
    .execute()
}
