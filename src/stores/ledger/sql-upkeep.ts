import { setImmediate } from 'node:timers/promises'
import type { RawBuilder } from 'kysely'
import type { LedgerKeep } from '../../core/ledger-keep.ts'
import { hourMs } from '../../core/time.ts'
import { keptHours } from './forecast-thinning.ts'
import { sql } from './kysely.ts'
import type { Database } from './schema.ts'
import type { Session } from './session.ts'

/** Rows of one delete, which is one transaction: some of them are large, and SQLite blocks the loop meanwhile. */
const deletedRowsMax = 200

interface Doomed {
  readonly table: keyof Database
  readonly where: RawBuilder<unknown>
  /** Which rows go first; absent where all go. */
  readonly orderBy?: RawBuilder<unknown>
}

/** What `isThinned` names. */
const isThinnedRow = (before: number): RawBuilder<unknown> =>
  sql`origin < ${before} and origin % ${keptHours * hourMs} >= ${hourMs}
    and until <= (select scored_to from watch_state s where s.site = forecast_log.site
      and s.domain = forecast_log.domain and s.subject = forecast_log.subject
      and s.metric = forecast_log.metric)`

/** Deletes old rows a few at a time, each time in a transaction of its own. */
export class SqlUpkeep {
  readonly #session: Session
  /** Name of the column by which the database finds a row of any table. */
  readonly #rowId: string

  constructor(session: Session, rowId: string) {
    this.#session = session
    this.#rowId = rowId
  }

  async maintain(keep: LedgerKeep): Promise<void> {
    await this.trimQuarantined(keep.quarantined)
    await this.#trim(
      { table: 'alerts', where: sql`until is not null`, orderBy: sql`until` },
      keep.closedAlerts,
    )
    await this.#trim({ table: 'model_events', where: sql`true`, orderBy: sql`id` }, keep.modelEvents)
    await this.#delete({ table: 'predictions', where: sql`made_at < ${keep.keepFrom}` })
    await this.#delete({ table: 'forecast_log', where: sql`origin < ${keep.forecastsFrom}` })
    await this.#delete({ table: 'forecast_log', where: isThinnedRow(keep.thinBefore) })
    await this.#delete({ table: 'report_days', where: sql`day < ${keep.keepFrom}` })
    await this.#delete({ table: 'drifts', where: sql`at < ${keep.keepFrom}` })
    await this.#delete({ table: 'infos', where: sql`at < ${keep.keepFrom}` })
    await this.#delete({ table: 'jobs', where: sql`ended_at < ${keep.keepFrom}` })
    await this.#delete({ table: 'incidents', where: sql`ended_at < ${keep.incidentsFrom}` })
    await this.#delete({
      table: 'maintenance_windows',
      where: sql`${sql.ref('to')} < ${keep.incidentsFrom}`,
    })
  }

  trimQuarantined(keep: number): Promise<void> {
    return this.#trim({ table: 'quarantined', where: sql`true`, orderBy: sql`id` }, keep)
  }

  /** Leaves `keep` of the rows. */
  async #trim(doomed: Doomed, keep: number): Promise<void> {
    const { table, where } = doomed
    const { rows } = await sql<{ rows: number }>`
      select count(*) as rows from ${sql.table(table)} where ${where}`.execute(this.#session.db())
    await this.#delete(doomed, Number(rows[0]?.rows ?? 0) - keep)
  }

  /** Deletes the rows, at most `count` of them. */
  async #delete({ table, where, orderBy }: Doomed, count = Number.POSITIVE_INFINITY): Promise<void> {
    const [from, rowId] = [sql.table(table), sql.ref(this.#rowId)]
    const order = orderBy ? sql`order by ${orderBy}` : sql``
    for (let left = count; left > 0; ) {
      const limit = Math.min(left, deletedRowsMax)
      const rows = sql`select ${rowId} from ${from} where ${where} ${order} limit ${limit}`
      const { numAffectedRows = 0n } = await this.#session.write((db) =>
        sql`delete from ${from} where ${rowId} in (${rows})`.execute(db),
      )
      if (numAffectedRows < limit) return
      left -= limit
      await setImmediate()
    }
  }
}
