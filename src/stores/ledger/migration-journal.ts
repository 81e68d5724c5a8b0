import type { Kysely } from 'kysely'
import { sql } from './kysely.ts'

/** Up to which frame of the journal the ledger is: one row. */
export async function journal(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('journal')
    .addColumn('position', 'bigint', (column) => column.notNull())
    .execute()
  await sql`insert into journal (position) values (0)`.execute(db)
}
