import type { Kysely } from 'kysely'
import type { AlertLevel } from '../../core/event.ts'
import { batches } from './batches.ts'
import { type ColumnTypes, target } from './columns.ts'
import { alertRow } from './rows.ts'
import type { Database } from './schema.ts'

/** The columns of `alerts` before this migration. */
interface Before {
  alerts_before: {
    site: string
    device: string
    metric: string
    rule: string
    level: AlertLevel
    since: number
    at: number
    value: number
    message: string
    until: number | null
  }
}

/** Alerts are known by (rule, target, since). All that there were came from thresholds. */
export async function alertTargets(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema.dropIndex('alerts_by_since').execute()
  await db.schema.alterTable('alerts').renameTo('alerts_before').execute()
  await db.schema
    .createTable('alerts')
    .$call(target(text))
    .addColumn('rule', text, (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint')
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('alerts_of_targets', ['rule', 'site', 'domain', 'subject', 'since'])
    .execute()
  await db.schema.createIndex('alerts_by_since').on('alerts').column('since').execute()
  await db.schema.createIndex('alerts_by_until').on('alerts').column('until').execute()
  const before = await (db as Kysely<Before>).selectFrom('alerts_before').selectAll().execute()
  const rows = before.map(({ site, until, ...alert }) =>
    alertRow({
      ...alert,
      target: { site, domain: 'thresholds', subject: alert.device },
      ...(until === null ? {} : { until }),
    }),
  )
  for await (const batch of batches(rows)) {
    await (db as Kysely<Database>).insertInto('alerts').values(batch).execute()
  }
  await db.schema.dropTable('alerts_before').execute()
}
