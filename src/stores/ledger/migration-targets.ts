import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Forecast, ModelRef } from '../../core/event.ts'
import { boundLevels } from '../../core/forecast.ts'
import type { Drift, Job, LeadSums, ModelEvent } from '../../core/life.ts'
import { targetOfSeries, upgradeCard } from '../../core/old-card.ts'
import { hourMs } from '../../core/time.ts'
import { batches, rowsPerStatement } from './batches.ts'
import { type ColumnTypes, type DataType, model, target } from './columns.ts'
import { sql } from './kysely.ts'
import {
  driftRow,
  jobRow,
  loggedRow,
  modelEventRow,
  modelRow,
  reportDayRow,
  scoredToRow,
} from './life-rows.ts'
import { forecastRow, predictionRow } from './rows.ts'
import type { Database } from './schema.ts'

/**
 * Models, jobs, forecasts and reports belong to targets instead of series, forecasts are columns, and sums are by name.
 * Every model and forecast before was of the energy of a device.
 */
export async function targets(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  for (const index of [
    'predictions_by_made_at',
    'model_events_by_series',
    'forecast_log_by_origin',
    'report_days_by_day',
  ])
    await db.schema.dropIndex(index).execute()
  for (const table of moved) await db.schema.alterTable(table).renameTo(`${table}_before`).execute()
  await createLedgerOfModels(db, types)
  await createLedgerOfForecasts(db, types)
  const [before, after] = [db as Kysely<Before>, db as Kysely<Database>]
  await copy(before, after, 'models', (row) =>
    modelRow({ ...row, status: row.standing, card: upgradeCard(JSON.parse(row.card) as object) }),
  )
  await copy(before, after, 'model_events', ({ body }) => {
    const { series, standing, ...event } = JSON.parse(body) as OldEvent
    return modelEventRow({ target: targetOfSeries(series), status: standing, ...event })
  })
  await copy(before, after, 'forecasts', (row) => {
    const forecast = forecastOfSteps(row.metric, {
      ...row,
      madeAt: row.made_at,
      stepMs: row.step_ms,
      naiveName: row.naive_name,
      model: refOf(row),
      steps: JSON.parse(row.steps) as OldForecast['steps'],
    })
    return forecast && forecastRow(forecast)
  })
  await copy(before, after, 'predictions', (row) =>
    predictionRow({
      ...row,
      kind: 'value',
      target: targetOfSeries(row),
      madeAt: row.made_at,
      model: refOf(row),
    }),
  )
  await copy(before, after, 'forecast_log', (row) => {
    const forecast = forecastOfSteps(row.metric, JSON.parse(row.forecast) as OldForecast)
    return forecast && loggedRow({ forecast, published: row.spoken === 1 })
  })
  await copy(before, after, 'report_days', (row) => {
    const leads = oldLeads(row.leads)
    // 0: from before truths were counted; each lead time has seen as many at the most
    const truths = row.truths || leads.reduce((most, { count }) => Math.max(most, count), 0)
    const residualBins = JSON.parse(row.residual_bins) as number[]
    return reportDayRow({
      ...row,
      target: targetOfSeries(row),
      leads,
      knownMs: truths * hourMs,
      residualBins,
    })
  })
  await copy(before, after, 'watch_state', (row) =>
    scoredToRow({ target: targetOfSeries(row), metric: row.metric, to: row.scored_to }),
  )
  await copy(before, after, 'drifts', ({ body }) => {
    const { series, ...drift } = JSON.parse(body) as OldDrift
    return driftRow({ target: targetOfSeries(series), ...drift })
  })
  for (const table of moved) await db.schema.dropTable(`${table}_before`).execute()
  await jobs(db as Kysely<Database>)
}

/** The tables that are written anew, and their keys. */
const keys = {
  models: ['site', 'device', 'metric', 'version'],
  model_events: ['id'],
  forecasts: ['site', 'device', 'metric'],
  predictions: ['site', 'device', 'metric', 'at', 'made_at', 'model_name', 'model_version'],
  forecast_log: ['site', 'device', 'metric', 'origin', 'version'],
  report_days: ['site', 'device', 'metric', 'day', 'version'],
  watch_state: ['site', 'device', 'metric'],
  drifts: ['site', 'device', 'metric', 'version'],
} as const
type Moved = keyof typeof keys
const moved = Object.keys(keys) as Moved[]

interface OldSeries {
  site: string
  device: string
  metric: string
}

interface OldRef {
  model_name: string
  model_version: string
  model_kind: ModelRef['kind']
}

/** The tables before this migration, under the names that it gives them. */
interface Before {
  models_before: OldSeries & {
    version: string
    trained_at: number
    standing: ModelEvent['status']
    since: number
    reason: string
    card: string
  }
  model_events_before: OldSeries & { id: number; at: number; body: string }
  forecasts_before: OldSeries &
    OldRef & {
      unit: string
      origin: number
      made_at: number
      step_ms: number
      level: number
      naive_name: string
      steps: string
    }
  predictions_before: OldSeries & OldRef & { at: number; made_at: number; value: number; unit: string }
  forecast_log_before: OldSeries & { origin: number; version: string; spoken: number; forecast: string }
  report_days_before: OldSeries & {
    day: number
    version: string
    leads: Uint8Array
    truths: number
    residual_bins: string
  }
  watch_state_before: OldSeries & { scored_to: number }
  drifts_before: OldSeries & { version: string; at: number; body: string }
}

type OldEvent = Omit<ModelEvent, 'target' | 'status'> & {
  readonly series: OldSeries
  readonly standing: ModelEvent['status']
}
type OldDrift = Omit<Drift, 'target'> & { readonly series: OldSeries }
type OldJob = Omit<Job, 'target'> & { readonly series: OldSeries }

interface OldForecast {
  readonly site: string
  readonly device: string
  readonly unit: string
  readonly origin: number
  readonly madeAt: number
  readonly stepMs: number
  readonly level: number
  readonly model: ModelRef
  readonly naiveName: string
  readonly steps: readonly {
    readonly at: number
    readonly mean: number
    readonly lo?: number | null
    readonly hi?: number | null
    readonly naive: number | null
  }[]
}

const refOf = ({ model_name: name, model_version: version, model_kind: kind }: OldRef): ModelRef => ({
  name,
  version,
  kind,
})

/** Copies a table in pages in the order of its key, so that a long log does not fill the memory. */
async function copy<Table extends Moved>(
  before: Kysely<Before>,
  after: Kysely<Database>,
  table: Table,
  rowOf: (row: Before[`${Table}_before`]) => object | undefined,
): Promise<void> {
  const old = sql.table(`${table}_before`)
  const order = sql.join(keys[table].map((name) => sql.ref(name)))
  for (let offset = 0; ; offset += rowsPerStatement) {
    const { rows } = await sql<Before[`${Table}_before`]>`
      select * from ${old} order by ${order} limit ${rowsPerStatement} offset ${offset}`.execute(before)
    const copies = rows.flatMap((row) => rowOf(row) ?? [])
    for (const row of copies) {
      const entries = Object.entries(row)
      await sql`insert into ${sql.table(table)} (${sql.join(entries.map(([name]) => sql.ref(name)))})
        values (${sql.join(entries.map(([, value]) => sql.val(value)))})`.execute(after)
    }
    if (rows.length < rowsPerStatement) return
  }
}

/** Steps that were left out are unknown; undefined for a forecast without any. */
function forecastOfSteps(metric: string, old: OldForecast): Forecast | undefined {
  const { origin, stepMs, steps, unit, madeAt } = old
  const last = steps.at(-1)
  if (!last) return undefined
  const count = Math.round((last.at - origin) / stepMs) + 1
  const column = (of: (step: OldForecast['steps'][number]) => number | null | undefined): Float64Array => {
    const values = new Float64Array(count).fill(Number.NaN)
    for (const step of steps) values[Math.round((step.at - origin) / stepMs)] = of(step) ?? Number.NaN
    return values
  }
  const [lo, hi] = [column((step) => step.lo), column((step) => step.hi)]
  const [low, high] = boundLevels(old.level)
  return {
    kind: 'forecast',
    target: targetOfSeries(old),
    metric,
    ...{ unit, origin, madeAt },
    model: old.model,
    grid: [{ stepMs, count }],
    mean: column(({ mean }) => mean),
    baseline: column(({ naive }) => naive),
    baselineName: old.naiveName,
    quantiles: lo.some(Number.isFinite)
      ? [
          { level: low, values: lo },
          { level: high, values: hi },
        ]
      : [],
  }
}

/** Eight numbers a lead time: count, error, absolute, squared, the naive one's two, intervals, inside. */
function oldLeads(bytes: Uint8Array): LeadSums[] {
  const numbers = new Float64Array(new Uint8Array(bytes).buffer)
  return Array.from({ length: numbers.length / 8 }, (_, lead): LeadSums => {
    const [
      count = 0,
      error = 0,
      absolute = 0,
      squared = 0,
      naiveAbsolute = 0,
      naiveSquared = 0,
      withInterval = 0,
      inside = 0,
    ] = numbers.subarray(8 * lead, 8 * lead + 8)
    return {
      ...{ count, error, baselineCount: count, withInterval, inside },
      losses: { squared, absolute },
      baseline: { squared: naiveSquared, absolute: naiveAbsolute },
    }
  })
}

/** Their table stays: only the body names the series. */
async function jobs(db: Kysely<Database>): Promise<void> {
  const rows = await db.selectFrom('jobs').select('body').execute()
  for await (const batch of batches(rows)) {
    for (const { body } of batch) {
      const { series, ...job } = JSON.parse(body) as OldJob
      await db
        .updateTable('jobs')
        .set(jobRow({ target: targetOfSeries(series), ...job }))
        .where('id', '=', job.id)
        .execute()
    }
  }
}

/** The key of what a forecast is of. */
const metric =
  (text: DataType) =>
  <Name extends string>(table: CreateTableBuilder<Name, never>) =>
    table.$call(target(text)).addColumn('metric', text, (column) => column.notNull())

const targetKey = ['site', 'domain', 'subject'] as const
const metricKey = [...targetKey, 'metric'] as const

async function createLedgerOfModels(db: Kysely<unknown>, { counter, text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('models')
    .$call(target(text))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('trained_at', 'bigint', (column) => column.notNull())
    .addColumn('status', text, (column) =>
      column.notNull().check(sql`status in ('live', 'challenger', 'rejected', 'retired', 'refused')`),
    )
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('reason', text, (column) => column.notNull())
    .addColumn('card', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('models_of_targets', [...targetKey, 'version'])
    .execute()
  await db.schema
    .createTable('model_events')
    .addColumn('id', counter, (column) => column.primaryKey())
    .$call(target(text))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('model_events_by_target')
    .on('model_events')
    .columns([...targetKey, 'at'])
    .execute()
  await db.schema
    .createTable('drifts')
    .$call(target(text))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('drifts_of_targets', [...targetKey, 'version'])
    .execute()
}

async function createLedgerOfForecasts(db: Kysely<unknown>, { text, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('forecasts')
    .$call(metric(text))
    .addColumn('origin', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('forecasts_of_targets', [...metricKey])
    .execute()
  await db.schema
    .createTable('predictions')
    .$call(metric(text))
    .addColumn('kind', text, (column) => column.notNull().check(sql`kind in ('value', 'probability')`))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('made_at', 'bigint', (column) => column.notNull())
    .$call(model(text))
    .addColumn('value', 'double precision', (column) => column.notNull())
    .addColumn('unit', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('predictions_of_targets', [
      ...metricKey,
      'at',
      'made_at',
      'model_name',
      'model_version',
    ])
    .execute()
  await db.schema.createIndex('predictions_by_made_at').on('predictions').column('made_at').execute()
  await db.schema
    .createTable('forecast_log')
    .$call(metric(text))
    .addColumn('origin', 'bigint', (column) => column.notNull())
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('published', 'smallint', (column) => column.notNull().check(sql`published in (0, 1)`))
    .addColumn('body', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('forecast_log_of_targets', [...metricKey, 'origin', 'version'])
    .execute()
  await db.schema.createIndex('forecast_log_by_origin').on('forecast_log').column('origin').execute()
  await db.schema
    .createTable('report_days')
    .$call(metric(text))
    .addColumn('day', 'bigint', (column) => column.notNull())
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('leads', bytes, (column) => column.notNull())
    .addColumn('known_ms', 'bigint', (column) => column.notNull())
    .addColumn('residual_bins', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('report_days_of_targets', [...metricKey, 'day', 'version'])
    .execute()
  await db.schema.createIndex('report_days_by_day').on('report_days').column('day').execute()
  await db.schema
    .createTable('watch_state')
    .$call(metric(text))
    .addColumn('scored_to', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('watch_state_of_targets', [...metricKey])
    .execute()
}
