import type { Kysely } from 'kysely'
import { type ColumnTypes, type DataType, series } from './columns.ts'
import { sql } from './kysely.ts'

/**
 * The life of a model. Learnt states leave the ledger for the artifacts, so what `models` held goes with its table
 * and is learnt anew; all else stays.
 */
export async function life(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema.dropTable('models').execute()
  await models(db, types)
  await jobs(db, types.text)
  await watch(db, types)
  await schedule(db, types.text)
  await notes(db, types.text)
}

async function models(db: Kysely<unknown>, { counter, text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('models')
    .$call(series(text))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('trained_at', 'bigint', (column) => column.notNull())
    .addColumn('standing', text, (column) =>
      column.notNull().check(sql`standing in ('live', 'challenger', 'rejected', 'retired', 'refused')`),
    )
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('reason', text, (column) => column.notNull())
    .addColumn('card', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('models_key', ['site', 'device', 'metric', 'version'])
    .execute()
  await db.schema
    .createTable('model_events')
    .addColumn('id', counter, (column) => column.primaryKey())
    .$call(series(text))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('model_events_by_series')
    .on('model_events')
    .columns(['site', 'device', 'metric', 'at'])
    .execute()
}

async function jobs(db: Kysely<unknown>, text: DataType): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('status', text, (column) =>
      column.notNull().check(sql`status in ('queued', 'running', 'done', 'failed', 'cancelled')`),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('jobs_by_created_at').on('jobs').column('created_at').execute()
}

async function watch(db: Kysely<unknown>, { text, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('forecast_log')
    .$call(series(text))
    .addColumn('origin', 'bigint', (column) => column.notNull())
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('spoken', 'smallint', (column) => column.notNull().check(sql`spoken in (0, 1)`))
    .addColumn('forecast', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('forecast_log_key', ['site', 'device', 'metric', 'origin', 'version'])
    .execute()
  await db.schema.createIndex('forecast_log_by_origin').on('forecast_log').column('origin').execute()
  await db.schema
    .createTable('report_days')
    .$call(series(text))
    .addColumn('day', 'bigint', (column) => column.notNull())
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('leads', bytes, (column) => column.notNull())
    .addColumn('residual_bins', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('report_days_key', ['site', 'device', 'metric', 'day', 'version'])
    .execute()
  await db.schema.createIndex('report_days_by_day').on('report_days').column('day').execute()
  await db.schema
    .createTable('watch_state')
    .$call(series(text))
    .addColumn('scored_to', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('watch_state_key', ['site', 'device', 'metric'])
    .execute()
  await db.schema
    .createTable('drifts')
    .$call(series(text))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('drifts_key', ['site', 'device', 'metric', 'version'])
    .execute()
}

async function schedule(db: Kysely<unknown>, text: DataType): Promise<void> {
  for (const table of ['triggers', 'event_functions']) {
    await db.schema
      .createTable(table)
      .addColumn('name', text, (column) => column.primaryKey().notNull())
      .addColumn('body', text, (column) => column.notNull())
      .execute()
  }
  await db.schema
    .createTable('queued_events')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('place', 'integer', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('queued_events_key', ['name', 'place'])
    .execute()
}

async function notes(db: Kysely<unknown>, text: DataType): Promise<void> {
  await db.schema
    .createTable('infos')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('site', text)
    .addColumn('body', text, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('infos_by_at').on('infos').column('at').execute()
  await db.schema
    .createTable('forgotten')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .$call(series(text))
    .addColumn('from', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .execute()
}
