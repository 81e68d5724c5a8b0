import type { ExpressionBuilder, Kysely, Transaction } from 'kysely'
import type { DeviceChange } from '../../core/device.ts'
import { HomeostatError } from '../../core/errors.ts'
import type {
  Alert,
  ApiKey,
  Device,
  Forecast,
  ForecastKey,
  PointPrediction,
  Quarantined,
  Room,
  Site,
} from '../../core/event.ts'
import { forecastKeyId } from '../../core/forecast.ts'
import type { LedgerKeep } from '../../core/ledger-keep.ts'
import type { AlertFilter, AlertKey, Ledger, PredictionPosition } from '../../core/ports.ts'
import type { DirtySpans, LedgerTurn, MonitorState } from '../../core/turn.ts'
import { Turns } from '../../core/turns.ts'
import { batches } from './batches.ts'
import { shown } from './columns.ts'
import { metricColumns } from './life-rows.ts'
import {
  alertOf,
  deviceOf,
  dirtySpansOf,
  forecastOf,
  forecastRow,
  keyOf,
  keyRow,
  monitorStateOf,
  predictionOf,
  quarantinedOf,
  siteOf,
} from './rows.ts'
import { type Database, siteTables } from './schema.ts'
import type { Session } from './session.ts'
import { applyDeviceChange, sqlRemovals } from './sql-devices.ts'
import { sqlIncidents } from './sql-incidents.ts'
import { sqlJobs } from './sql-jobs.ts'
import { sqlModels } from './sql-models.ts'
import { sqlNotes } from './sql-notes.ts'
import { sqlPeople } from './sql-people.ts'
import { sqlRecords } from './sql-records.ts'
import { sqlSchedule } from './sql-schedule.ts'
import {
  deleteQuarantined,
  writeAlerts,
  writeDevices,
  writePredictions,
  writeQuarantined,
  writeSites,
  writeTurn,
} from './sql-turn.ts'
import { SqlUpkeep } from './sql-upkeep.ts'
import { sqlWatch } from './sql-watch.ts'
import { excluded, upsert } from './upsert.ts'

/** What a database has to bring so that it can hold the ledger. */
export interface LedgerDatabase {
  /** Connects and brings the schema up to date. Throws HomeostatError naming the file or server. */
  open(): Promise<Kysely<Database>>
  /** Name of the column by which the database finds a row of any table. */
  readonly rowId: string
  /** Gives `change_not_stored` for an error of a write that the disk is the reason of, and other errors as they are. */
  explain?(error: unknown): unknown
  /** Whether the values of a statement are the reason of its error, so that trying again cannot help. */
  isRefusal(error: unknown): boolean
  /** What else the database wants done in a quiet moment. */
  tidy?(db: Kysely<Database>): Promise<void>
}

export interface LedgerOptions {
  /**
   * Quarantined rows kept; default 10,000. `maintain` trims to what it is told; in between, a flood is trimmed to this
   * as soon as there are twice as many.
   */
  readonly quarantineLimit?: number
}

/**
 * The ledger on a SQL database: one transaction a write, writes in the order of their calls.
 * Methods reject with `change_not_stored` where the disk refuses, else with the database's own error; nothing of that
 * call is then kept.
 */
export class SqlLedger implements Ledger {
  readonly #database: LedgerDatabase
  readonly #quarantineLimit: number
  #connected: Kysely<Database> | undefined
  readonly #writes = new Turns(1)
  #quarantinedRows = 0
  readonly #session: Session = { db: () => this.#db, write: (work) => this.#write(work) }
  readonly #upkeep: SqlUpkeep
  readonly models = sqlModels(this.#session)
  readonly jobs = sqlJobs(this.#session)
  readonly watch = sqlWatch(this.#session)
  readonly schedule = sqlSchedule(this.#session)
  readonly notes = sqlNotes(this.#session)
  readonly incidents = sqlIncidents(this.#session)
  readonly records = sqlRecords(this.#session)
  readonly people = sqlPeople(this.#session)
  readonly removals = sqlRemovals(this.#session)

  constructor(database: LedgerDatabase, options: LedgerOptions = {}) {
    this.#database = database
    this.#upkeep = new SqlUpkeep(this.#session, database.rowId)
    this.#quarantineLimit = options.quarantineLimit ?? 10_000
  }

  async open(): Promise<void> {
    const db = await this.#database.open()
    this.#quarantinedRows = await countQuarantined(db)
    this.#connected = db
  }

  async close(): Promise<void> {
    await this.#writes.run(async () => undefined)
    const connected = this.#connected
    this.#connected = undefined
    await connected?.destroy()
  }

  async record(turn: LedgerTurn, position?: number): Promise<void> {
    try {
      await this.#write(async (db) => {
        await writeTurn(db, turn)
        if (position !== undefined) await db.updateTable('journal').set({ position }).execute()
      })
    } catch (error) {
      if (!(error instanceof TypeError || this.#database.isRefusal(error))) throw error
      throw new HomeostatError('turn_refused', { detail: String(error) }, error)
    }
    await this.#countQuarantined(turn.quarantined.length)
  }

  async position(): Promise<number> {
    const { position } = await this.#db.selectFrom('journal').select('position').executeTakeFirstOrThrow()
    return Number(position)
  }

  async monitorStates(site?: string): Promise<MonitorState[]> {
    const rows = await this.#db
      .selectFrom('monitor_states')
      .selectAll()
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('domain')
      .orderBy('subject')
      .execute()
    return rows.map(monitorStateOf)
  }

  async dirtySpans(site?: string): Promise<DirtySpans[]> {
    const rows = await this.#db
      .selectFrom('dirty_spans')
      .selectAll()
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('domain')
      .orderBy('subject')
      .execute()
    return rows.map(dirtySpansOf)
  }

  putSites(sites: readonly Site[]): Promise<void> {
    return this.#write((db) => writeSites(db, sites))
  }

  async sites(): Promise<Site[]> {
    const rows = await this.#db.selectFrom('sites').selectAll().orderBy('id').execute()
    return rows.map(siteOf)
  }

  removeSite(site: string): Promise<void> {
    return this.#write(async (db) => {
      for (const table of siteTables) await db.deleteFrom(table).where('site', '=', site).execute()
      await db.deleteFrom('sites').where('id', '=', site).execute()
    })
  }

  change(change: DeviceChange, position?: number): Promise<void> {
    return this.#write(async (db) => {
      await applyDeviceChange(db, change)
      if (position !== undefined) await db.updateTable('journal').set({ position }).execute()
    })
  }

  putDevices(devices: readonly Device[]): Promise<void> {
    return this.#write((db) => writeDevices(db, devices))
  }

  async devices(site?: string): Promise<Device[]> {
    const rows = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where(shown('id'))
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('id')
      .execute()
    return rows.map(deviceOf)
  }

  rooms(site?: string): Promise<Room[]> {
    return this.#db
      .selectFrom('rooms')
      .selectAll()
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('id')
      .execute()
  }

  putForecasts(forecasts: readonly Forecast[]): Promise<void> {
    return this.#write(async (db) => {
      for await (const batch of batches(forecasts, forecastKeyId)) {
        await db
          .insertInto('forecasts')
          .values(batch.map(forecastRow))
          .onConflict((conflict) =>
            conflict
              .columns(['site', 'domain', 'subject', 'metric'])
              .doUpdateSet(excluded(['origin', 'body']))
              .where((row) => row('excluded.origin', '>=', row.ref('forecasts.origin'))),
          )
          .execute()
      }
    })
  }

  async forecasts(site?: string): Promise<Forecast[]> {
    const rows = await this.#db
      .selectFrom('forecasts')
      .selectAll()
      .where(shown('subject'))
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('domain')
      .orderBy('subject')
      .orderBy('metric')
      .execute()
    return rows.map(forecastOf)
  }

  putPredictions(predictions: readonly PointPrediction[]): Promise<void> {
    return this.#write((db) => writePredictions(db, predictions))
  }

  async predictions(
    of: ForecastKey,
    from: number,
    to: number,
    limit: number,
    after?: PredictionPosition,
  ): Promise<PointPrediction[]> {
    const rows = await this.#db
      .selectFrom('predictions')
      .selectAll()
      .where((column) => column.and(metricColumns(of)))
      .where('at', '>=', Math.max(from, after?.at ?? from))
      .where('at', '<', to)
      .$if(after !== undefined, (query) => query.where((row) => isPredictedAfter(row, after!)))
      .orderBy('at')
      .orderBy('made_at')
      .orderBy('model_name')
      .orderBy('model_version')
      .limit(limit)
      .execute()
    return rows.map(predictionOf)
  }

  putAlerts(alerts: readonly Alert[]): Promise<void> {
    return this.#write((db) => writeAlerts(db, alerts))
  }

  async alerts({ sites, open, after }: AlertFilter, limit: number): Promise<Alert[]> {
    const rows = await this.#db
      .selectFrom('alerts')
      .selectAll()
      .where(shown('subject'))
      .$if(sites !== undefined, (query) => query.where('site', 'in', sites ?? []))
      .$if(open !== undefined, (query) => query.where('until', open ? 'is' : 'is not', null))
      .$if(after !== undefined, (query) => query.where((row) => isAfter(row, after!)))
      .orderBy('since', 'desc')
      .orderBy('rule')
      .orderBy('site')
      .orderBy('domain')
      .orderBy('subject')
      .limit(limit)
      .execute()
    return rows.map(alertOf)
  }

  async putQuarantined(rows: readonly Quarantined[]): Promise<void> {
    await this.#write((db) => writeQuarantined(db, rows))
    await this.#countQuarantined(rows.length)
  }

  async quarantined(limit: number, before?: number): Promise<{ id: number; row: Quarantined }[]> {
    const rows = await this.#db
      .selectFrom('quarantined')
      .selectAll()
      .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(({ id, ...row }) => ({ id, row: quarantinedOf(row) }))
  }

  async removeQuarantined(ids: readonly number[] | 'all'): Promise<number> {
    const removed = await this.#write((db) => deleteQuarantined(db, ids))
    this.#quarantinedRows = await countQuarantined(this.#db)
    return removed
  }

  putKey(key: ApiKey): Promise<void> {
    return this.#write((db) => upsert(db, 'api_keys', ['id'], [key], keyRow))
  }

  removeKey(id: string): Promise<boolean> {
    return this.#write(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom('api_keys')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    })
  }

  async keys(): Promise<ApiKey[]> {
    const rows = await this.#db.selectFrom('api_keys').selectAll().orderBy('id').execute()
    return rows.map(keyOf)
  }

  async maintain(keep: LedgerKeep): Promise<void> {
    await this.#upkeep.maintain(keep)
    this.#quarantinedRows = await countQuarantined(this.#db)
    await this.#database.tidy?.(this.#db)
  }

  get #db(): Kysely<Database> {
    if (!this.#connected) throw new Error('The ledger is not open.')
    return this.#connected
  }

  /** One transaction; begins when the write called before it has ended, well or not, also on a pool of connections. */
  #write<Result>(work: (db: Transaction<Database>) => Promise<Result>): Promise<Result> {
    return this.#writes.run(async () => {
      try {
        return await this.#db.transaction().execute(work)
      } catch (error) {
        throw this.#database.explain?.(error) ?? error
      }
    })
  }

  /** The rows are kept already: a trimming that the disk refuses is tried again with the next ones. */
  async #countQuarantined(added: number): Promise<void> {
    this.#quarantinedRows += added
    if (this.#quarantinedRows <= 2 * this.#quarantineLimit) return
    try {
      await this.#upkeep.trimQuarantined(this.#quarantineLimit)
      this.#quarantinedRows = await countQuarantined(this.#db)
    } catch (error) {
      if (!(error instanceof HomeostatError)) throw error
    }
  }
}

function isPredictedAfter(
  row: ExpressionBuilder<Database, 'predictions'>,
  { at, madeAt, model }: PredictionPosition,
) {
  const { refTuple, tuple } = row
  const place = tuple(at, madeAt, model.name, model.version)
  return row(refTuple('at', 'made_at', 'model_name', 'model_version'), '>', place)
}

/** Strictly after the key in the order (since descending, rule, site, domain, subject). */
function isAfter(row: ExpressionBuilder<Database, 'alerts'>, { target, rule, since }: AlertKey) {
  const { site, domain, subject } = target
  const { refTuple, tuple } = row
  return row.or([
    row('since', '<', since),
    row.and([
      row('since', '=', since),
      row(refTuple('rule', 'site', 'domain', 'subject'), '>', tuple(rule, site, domain, subject)),
    ]),
  ])
}

async function countQuarantined(db: Kysely<Database>): Promise<number> {
  const { rows } = await db
    .selectFrom('quarantined')
    .select((column) => column.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  return Number(rows)
}
