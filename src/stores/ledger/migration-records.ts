import type { Kysely } from 'kysely'
import type { ColumnTypes } from './columns.ts'

/** Facts of domains. */
export const records = (db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> =>
  db.schema
    .createTable('records')
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('domain', text, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('records_key', ['site', 'domain', 'kind', 'key'])
    .execute()
