import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { incident, maintenanceWindow } from '../../../test/conformance/ledger-incident-laws.ts'
import { entry } from '../../../test/conformance/ledger-life-samples.ts'
import {
  alert,
  device,
  forecast,
  key,
  power,
  prediction,
  quarantined,
  site,
} from '../../../test/conformance/ledger-samples.ts'
import type { Ledger } from '../../core/ports.ts'
import { Kysely, Migrator, SqliteDialect } from './kysely.ts'
import { migrations } from './migrations.ts'
import { createSqliteLedger } from './sqlite.ts'

/** The schema as the first release wrote it, word for word, with a row in each table. */
const first = `
  create table homeostat_migration (name varchar(255) not null primary key, timestamp varchar(255) not null);
  create table homeostat_migration_lock (id varchar(255) not null primary key, is_locked integer default 0 not null);
  create table sites (id text not null primary key, name text not null, zone text not null,
    demo smallint not null check (demo in (0, 1)));
  create table rooms (site text not null, id text not null, constraint rooms_key primary key (site, id));
  create table devices (site text not null, id text not null, type text not null, room text,
    attributes text not null, constraint devices_key primary key (site, id),
    constraint devices_room foreign key (site, room) references rooms (site, id));
  create table forecasts (site text not null, device text not null, metric text not null, unit text not null,
    origin bigint not null, made_at bigint not null, step_ms bigint not null, level double precision not null,
    model_name text not null, model_version text not null,
    model_kind text not null check (model_kind in ('learned', 'naive')), naive_name text not null,
    steps text not null, constraint forecasts_key primary key (site, device, metric));
  create table models (site text not null, device text not null, metric text not null, version text not null,
    trained_at bigint not null, card text not null, body text not null,
    constraint models_key primary key (site, device, metric, version));
  create table predictions (site text not null, device text not null, metric text not null, at bigint not null,
    made_at bigint not null, model_name text not null, model_version text not null,
    model_kind text not null check (model_kind in ('learned', 'naive')), value double precision not null,
    unit text not null, constraint predictions_key
    primary key (site, device, metric, at, made_at, model_name, model_version));
  create index predictions_by_made_at on predictions (made_at);
  create table alerts (site text not null, device text not null, metric text not null, rule text not null,
    level text not null check (level in ('info', 'warning', 'critical')), since bigint not null, at bigint not null,
    value double precision not null, message text not null, until bigint,
    constraint alerts_key primary key (rule, site, device, metric, since));
  create index alerts_by_since on alerts (since);
  create table quarantined (id integer primary key, at bigint not null, source text not null, code text not null,
    message text not null, payload text not null);
  create table api_keys (id text not null primary key, name text not null,
    role text not null check (role in ('viewer', 'operator', 'admin')), sites text, sha256 text not null unique,
    created_at bigint not null);

  insert into homeostat_migration values ('0001_first', '2026-01-01T00:00:00.000Z');
  insert into homeostat_migration_lock values ('migration_lock', 0);
  insert into sites values ('home', 'Site home', 'Europe/Athens', 0);
  insert into rooms values ('home', 'hall');
  insert into devices values ('home', 'meter', 'sensor', 'hall', '{"watts":1.5}');
  insert into forecasts values ('home', 'meter', 'power', 'W', 36000000, 36000005, 3600000, 0.9, 'boosting', '1',
    'learned', 'same time yesterday', '[{"at":36000000,"mean":7,"naive":6}]');
  insert into models values ('home', 'meter', 'power', '1', 100, '{"live":true}', '{"trees":[]}');
  insert into predictions values ('home', 'meter', 'power', 1000, 900, 'boosting', '1', 'learned', 0.5, 'W');
  insert into alerts values ('home', 'meter', 'power', 'too much', 'warning', 1000, 1000, 4000,
    'The power is above 3000 W.', null);
  insert into quarantined values (7, 1, 'mqtt', 'payload_not_json', 'The payload is not JSON: nonsense.', '{"a":');
  insert into api_keys values ('a', 'Key a', 'operator', null, '${'a'.repeat(64)}', 5);
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-migration-'))
  inside((db) => db.exec(first))
})
afterEach(() => rm(folder, { recursive: true }))

function inside<Result>(work: (db: Libsql.Database) => Result, where = folder): Result {
  const db = new Libsql(join(where, 'ledger.db'))
  const result = work(db)
  db.close()
  return result
}

it('opens a ledger of the first release: its models are to be learnt anew, all else is there', async () => {
  const ledger = createSqliteLedger({ folder })
  await ledger.open()
  expect({
    sites: await ledger.sites(),
    rooms: await ledger.rooms(),
    devices: await ledger.devices(),
    forecasts: await ledger.forecasts(),
    predictions: await ledger.predictions(power, 0, 1e15, 9),
    alerts: await ledger.alerts({}, 9),
    quarantined: await ledger.quarantined(9),
    keys: await ledger.keys(),
    models: await ledger.models.all(),
  }).toStrictEqual({
    sites: [site('home')],
    rooms: [{ site: 'home', id: 'hall' }],
    devices: [device('meter', { room: 'hall', attributes: { watts: 1.5 } })],
    forecasts: [
      forecast({
        grid: [{ stepMs: 3_600_000, count: 1 }],
        mean: Float64Array.of(7),
        baseline: Float64Array.of(6),
        quantiles: [],
      }),
    ],
    predictions: [prediction({ value: 0.5 })],
    alerts: [alert()],
    quarantined: [{ id: 7, row: quarantined(1) }],
    keys: [key('a')],
    models: [],
  })
  await ledger.models.put([entry('v1')], [])
  expect(await ledger.models.all()).toStrictEqual([entry('v1')])
  await ledger.close()
})

describe('a ledger from before targets', () => {
  const target = { site: 'home', domain: 'energy', subject: 'fridge' }
  const energy = { target, metric: 'energy' }
  const t0 = Date.UTC(2026, 0, 5)
  const hour = 3_600_000
  const [v1, v2] = ['20260105T000000Z', '20260106T000000Z']
  let ledger: Ledger
  beforeEach(async () => {
    const where = join(folder, 'before-targets')
    await mkdir(where)
    inside(
      (db) =>
        db.exec(readFileSync(new URL('../../../test/before-targets/ledger.sql', import.meta.url), 'utf8')),
      where,
    )
    ledger = createSqliteLedger({ folder: where })
    await ledger.open()
  })
  afterEach(() => ledger.close())

  it('keeps its models, with their history, as those of targets', async () => {
    const entries = await ledger.models.of(target)
    expect(entries.map(({ card, status, reason }) => [card.model.version, status, reason])).toStrictEqual([
      [v2, 'live', 'Live: it is better.'],
      [v1, 'retired', `Replaced by ${v2}.`],
    ])
    expect(entries[0]?.card).toMatchObject({
      ...energy,
      decidedBy: 'rmse',
      scores: { model: { mae: 0.1, rmse: 0.2 } },
      verdict: {
        status: 'live',
        reason: 'Live: it is better.',
        comparisons: { yesterday: { days: 56, gain: 0.5, p: 0.001 }, live: { days: 3, gain: 0.2, p: 1 } },
      },
    })
    expect(entries[0]?.card).not.toHaveProperty('series')
    expect(await ledger.models.events({ target }, 9)).toStrictEqual([
      { target, version: v1, at: t0 + hour, status: 'retired', reason: `Replaced by ${v2}.`, by: 'gate' },
      { target, version: v2, at: t0 + hour, status: 'live', reason: 'Live: it is better.', by: 'gate' },
      { target, version: v1, at: t0, status: 'live', reason: 'Live: it is better.', by: 'gate' },
    ])
    expect(await ledger.jobs.get('a')).toMatchObject({ id: 'a', target, status: 'done', endedAt: t0 + 5 })
  })

  it('keeps its forecasts as columns, unknown where a step was left out', async () => {
    const [forecast] = await ledger.forecasts()
    expect(forecast).toStrictEqual({
      kind: 'forecast',
      ...energy,
      unit: 'kWh',
      origin: t0,
      madeAt: t0 + 5,
      model: { name: 'energy-boosting', version: v2, kind: 'learned' },
      grid: [{ stepMs: hour, count: 3 }],
      mean: Float64Array.of(0, Number.NaN, 2),
      baseline: Float64Array.of(1, Number.NaN, 1.5),
      baselineName: 'yesterday',
      quantiles: [
        { level: 0.05, values: Float64Array.of(0, Number.NaN, 1) },
        { level: 0.95, values: Float64Array.of(0.5, Number.NaN, 3) },
      ],
    })
    const logged = await ledger.watch.logged(energy, t0, t0 + hour)
    expect(logged.map(({ forecast, published }) => [forecast.model.version, published])).toStrictEqual([
      [v1, false],
      [v2, true],
    ])
    const { metric: _metric, ...point } = { ...energy, at: t0, madeAt: t0 + 60_000, value: 0.5, unit: 'kWh' }
    expect(await ledger.predictions(energy, t0, t0 + 1, 9)).toMatchObject([{ kind: 'value', ...point }])
  })

  it('keeps its reports, drifts and forgotten spans', async () => {
    const lead = (count: number) => ({
      count,
      error: -count,
      losses: { absolute: 2 * count, squared: 3 * count },
      baselineCount: count,
      baseline: { absolute: 4 * count, squared: 5 * count },
      withInterval: count,
      inside: 1,
    })
    const residualBins = [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    expect(await ledger.watch.days(energy, 0, 1e15)).toStrictEqual([
      { ...energy, version: v2, day: t0, leads: [lead(2), lead(3)], knownMs: 4 * hour, residualBins },
    ])
    expect(await ledger.watch.scoredTo(energy)).toBe(t0 + 5 * hour)
    expect(await ledger.watch.drifts(target)).toStrictEqual([
      { target, version: v2, at: t0, psi: { hour: 0.25 }, usual: { hour: 0.1 } },
    ])
    const series = { site: 'home', device: 'fridge', metric: 'power' }
    expect(await ledger.notes.forgotten()).toMatchObject([{ id: 'f', series, from: 0, to: hour }])
  })
})

it('a ledger of before incidents opens without any, keeps its open alerts, and takes incidents and windows', async () => {
  const ledger = createSqliteLedger({ folder })
  await ledger.open()
  expect(await ledger.alerts({ open: true }, 9)).toStrictEqual([alert()])
  expect([await ledger.incidents.list({}, 9), await ledger.incidents.windows()]).toStrictEqual([[], []])
  await ledger.incidents.put([incident('a')])
  await ledger.incidents.putWindow(maintenanceWindow('a'))
  expect(await ledger.incidents.recent(0)).toStrictEqual([incident('a')])
  expect(await ledger.incidents.windows()).toStrictEqual([maintenanceWindow('a')])
  await ledger.close()
})

/** Brings the ledger to an earlier schema than the newest. */
async function migrateTo(name: string): Promise<void> {
  const db = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: new Libsql(join(folder, 'ledger.db')) }),
  })
  const provider = {
    getMigrations: async () => migrations({ counter: 'integer', text: 'text', bytes: 'blob' }),
  }
  const migrator = new Migrator({
    ...{ db, provider },
    ...{
      migrationTableName: 'homeostat_migration',
      migrationLockTableName: 'homeostat_migration_lock',
    },
  })
  const { error } = await migrator.migrateTo(name)
  await db.destroy()
  expect(error).toBeUndefined()
}

it('keeps the queued events of the release before, in their order', async () => {
  await migrateTo('0003_truths')
  const rows = [
    { function: 'f', event: 'b', at: 5, data: '{"a":1}' },
    { function: 'f', event: 'a', at: 5, data: '' },
    { function: 'g', event: 'a', at: 1, data: '' },
  ]
  inside((db) => {
    const insert = db.prepare('insert into queued_events values (?, ?, ?)')
    for (const [row, place] of [[rows[2], 0] as const, [rows[1], 1] as const, [rows[0], 0] as const]) {
      insert.run(row!.function, place, JSON.stringify(row))
    }
  })
  const ledger = createSqliteLedger({ folder })
  await ledger.open()
  expect(await ledger.schedule.queuedEvents()).toStrictEqual(
    rows.map((row, index) => ({ id: index + 1, ...row })),
  )
  await ledger.schedule.changeQueue([], [1, 2])
  expect(await ledger.schedule.queuedEvents()).toMatchObject([{ id: 3, function: 'g' }])
  await ledger.close()
})

it('keeps the devices of the release before, and takes what people say of them', async () => {
  await migrateTo('0010_journal')
  const ledger = createSqliteLedger({ folder })
  await ledger.open()
  const known = device('meter', { room: 'hall', attributes: { watts: 1.5 } })
  expect(await ledger.devices()).toStrictEqual([known])
  expect([await ledger.removals.list(), await ledger.removals.merges()]).toStrictEqual([[], []])
  await ledger.change({ kind: 'edited', device: { ...known, name: 'Meter', role: 'grid' } })
  expect(await ledger.devices()).toStrictEqual([{ ...known, name: 'Meter', role: 'grid' }])
  await ledger.close()
})

it('ends with the schema that a new ledger has', async () => {
  const fresh = join(folder, 'fresh')
  for (const where of [folder, fresh]) {
    const ledger = createSqliteLedger({ folder: where })
    await ledger.open()
    await ledger.close()
  }
  const columns = (where: string) =>
    inside(
      (db) =>
        db
          .prepare(
            `select t.name as 'table', c.name, c.type, c."notnull", c.pk
             from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' order by t.name, c.cid`,
          )
          .all(),
      where,
    )
  expect(columns(folder)).toStrictEqual(columns(fresh))
  expect(columns(folder).length).toBeGreaterThan(100)
})

it('is left as it was where the way to the new schema fails', async () => {
  inside((db) => db.exec('create table jobs (mine text)'))
  await expect(createSqliteLedger({ folder }).open()).rejects.toMatchObject({ code: 'file_unreadable' })
  inside((db) => {
    expect(db.prepare('select name from homeostat_migration').pluck().all()).toStrictEqual(['0001_first'])
    expect(db.prepare('select body from models').pluck().all()).toStrictEqual(['{"trees":[]}'])
  })
})
