import type { Transaction } from 'kysely'
import type { Drift, ReportDay } from '../../core/life.ts'
import type { WatchLedger } from '../../core/ports.ts'
import { batches } from './batches.ts'
import { sql } from './kysely.ts'
import {
  bodyOf,
  driftRow,
  loggedOf,
  loggedRow,
  metricColumns,
  reportDayOf,
  reportDayRow,
  scoredToRow,
  targetOf,
} from './life-rows.ts'
import { addDays, reportDayId } from './report-sums.ts'
import type { Database, ReportDayRow } from './schema.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

const targetKey = ['site', 'domain', 'subject'] as const
const metricKey = [...targetKey, 'metric'] as const

export const sqlWatch = ({ db, write }: Session): WatchLedger => ({
  log: (forecasts) =>
    write((db) => upsert(db, 'forecast_log', [...metricKey, 'origin', 'version'], forecasts, loggedRow)),

  async logged(of, from, to) {
    const rows = await db()
      .selectFrom('forecast_log')
      .selectAll()
      .where((column) => column.and(metricColumns(of)))
      .where('until', '>', from)
      .where('origin', '<', to)
      .orderBy('origin')
      .orderBy('version')
      .execute()
    return rows.map(loggedOf)
  },

  score: (days, scoredTo) =>
    write(async (db) => {
      const sums = await knownOf(db, days)
      addDays(sums, days)
      await upsert(db, 'report_days', [...metricKey, 'day', 'version'], sums.values(), reportDayRow)
      await upsert(db, 'watch_state', metricKey, scoredTo, scoredToRow)
    }),

  async scoredTo(of) {
    const row = await db()
      .selectFrom('watch_state')
      .select('scored_to')
      .where((column) => column.and(metricColumns(of)))
      .executeTakeFirst()
    return row?.scored_to
  },

  async days(of, from, to) {
    const rows = await db()
      .selectFrom('report_days')
      .selectAll()
      .where((column) => column.and(metricColumns(of)))
      .where('day', '>=', from)
      .where('day', '<', to)
      .orderBy('day')
      .orderBy('version')
      .execute()
    return rows.map(reportDayOf)
  },

  putDrifts: (drifts) => write((db) => upsert(db, 'drifts', [...targetKey, 'version'], drifts, driftRow)),

  async drifts(target) {
    const rows = await db()
      .selectFrom('drifts')
      .select('body')
      .where((column) => column.and(targetOf(target)))
      .orderBy('version')
      .execute()
    return rows.map(bodyOf<Drift>)
  },
})

/**
 * What the ledger holds of the same (target, metric, version, day), by their id. SQLite takes a cross join in the order in
 * which it is written: a look-up for each wanted day. Left to itself it would search the wanted days for each kept one.
 */
async function knownOf(
  db: Transaction<Database>,
  days: readonly ReportDay[],
): Promise<Map<string, ReportDay>> {
  const known = new Map<string, ReportDay>()
  for await (const batch of batches(days, reportDayId)) {
    const wanted = batch.map(
      ({ target: { site, domain, subject }, metric, day, version }) =>
        sql`(${site}, ${domain}, ${subject}, ${metric}, cast(${day} as bigint), ${version})`,
    )
    const { rows } = await sql<ReportDayRow>`
      with wanted (site, domain, subject, metric, day, version) as (values ${sql.join(wanted)})
      select known.* from wanted cross join report_days known
      where known.site = wanted.site and known.domain = wanted.domain and known.subject = wanted.subject
        and known.metric = wanted.metric and known.day = wanted.day and known.version = wanted.version`.execute(
      db,
    )
    for (const day of rows.map(reportDayOf)) known.set(reportDayId(day), day)
  }
  return known
}
