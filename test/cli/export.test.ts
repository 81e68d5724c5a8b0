import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeExport, type ExportSummary, exportRows } from '../../src/cli/export.ts'
import { type ExportFormat, exportFile } from '../../src/cli/export-file.ts'
import { type ExportSelection, exportTable } from '../../src/cli/export-lists.ts'
import type { HubAccess } from '../../src/cli/hub-access.ts'
import { createHubClient } from '../../src/cli/hub-client.ts'
import { importFile } from '../../src/cli/import.ts'
import { minuteMs, quarterMs } from '../../src/core/time.ts'
import { duckdb } from '../../src/stores/readings/duckdb-api.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** `homeostat export`, from a hub that listens. */

const now = Date.parse('2026-03-02T12:00:00Z')
const clock = new VirtualClock(now)
let hub: TestHub
let access: Pick<HubAccess, 'request'>
let folder: string

/** More rows than a page has; names that a spreadsheet would run, and values that are hard to write. */
const minutes = 12_000
beforeAll(async () => {
  hub = await startTestHub({ clock })
  const secret = await hub.key('admin')
  access = createHubClient({ url: `http://127.0.0.1:${await hub.listen()}`, secret })
  for (let first = 0; first < minutes; first += 4000)
    await hub.push(
      Array.from({ length: 4000 }, (_, index) => ({
        site: 'lodge',
        device: 'heater',
        metric: 'power',
        value: 1000 + Math.sin(first + index),
        at: now - (minutes - first - index) * minuteMs,
        room: 'hall',
      })),
    )
  const at = now - minuteMs
  await hub.push([
    { device: '=SUM(A1)', metric: 'temperature', value: -0.1, at },
    { device: "'=SUM(A1)", metric: 'temperature', value: 1e-7, at },
    { device: '@home', metric: 'temperature', value: 1, at },
    { device: '+a,"b"', metric: 'temperature', value: 21.000000000000004, at: at + 1, room: 'Küche; "Ost"' },
    { device: '-x', metric: 'window', value: 'open', at },
    { device: "it's", metric: 'made up', value: 123456789012345, unit: 'l/100 km', at },
  ])
})
afterAll(() => hub.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-export-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function run(
  name: string,
  format: ExportFormat,
  selection: Partial<ExportSelection> = {},
  options: { readonly signal?: AbortSignal; readonly isTTY?: boolean; readonly from?: typeof access } = {},
): Promise<{ readonly path: string; readonly summary: ExportSummary; readonly shown: string }> {
  const path = join(folder, name)
  let shown = ''
  const write = (text: string): void => {
    shown += text
  }
  const { signal = new AbortController().signal, isTTY = false, from = access } = options
  const table = await exportTable(from, { what: 'readings', ...selection }, now)
  const file = await exportFile(path, format, table.columns)
  const summary = await exportRows(table, file, { write, isTTY }, signal)
  return { path, summary, shown }
}

const measured = async (of: TestHub) =>
  (await of.readings.read({}, 100_000)).filter(({ device }) => !device.startsWith('@'))

async function parquet(path: string): Promise<Record<string, unknown>[]> {
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const result = await connection.run(
    `SELECT * REPLACE (epoch_ms("at")::DOUBLE AS "at") FROM '${path.replaceAll("'", "''")}'`,
  )
  const rows = await result.getRowObjects()
  connection.closeSync()
  instance.closeSync()
  return rows
}

describe('export', () => {
  test('export: a CSV file that is imported again gives the same readings', async () => {
    const { path, summary } = await run('all.csv', 'csv')
    const before = await measured(hub)
    expect(summary).toMatchObject({ rows: before.length, finished: true, exitCode: 0 })
    expect(before.length).toBeGreaterThan(minutes)
    expect(readFileSync(path, 'utf8')).not.toMatch(/(^|,)"?[=@]/m)
    const other = await startTestHub({ clock })
    const out = { write: () => undefined, isTTY: false }
    const { badRows } = await importFile(
      { file: path },
      (rows) => other.push(rows),
      out,
      new AbortController().signal,
    )
    expect(badRows).toBe(0)
    expect(await measured(other)).toEqual(before)
    await other.close()
  })

  test('export: DuckDB reads the same readings back from a Parquet file', async () => {
    const { path, summary } = await run("rea'dings.parquet", 'parquet')
    const before = await measured(hub)
    expect(summary.rows).toBe(before.length)
    const rows = await parquet(path)
    expect(rows).toEqual(before.map((reading) => ({ ...reading, room: reading.room ?? null })))
    expect(readdirSync(folder)).toEqual(["rea'dings.parquet"])
  })

  test('export: a JSON file is a list that the API takes', async () => {
    const { path } = await run('all.json', 'json')
    const rows = JSON.parse(readFileSync(path, 'utf8'))
    const other = await startTestHub({ clock, open: true, limits: { batchReadings: 100_000 } })
    const answer = await other.ask({ method: 'POST', url: '/api/v1/readings', payload: rows })
    expect(answer.json()).toEqual({ accepted: rows.length, rejected: [] })
    expect(await measured(other)).toEqual(await measured(hub))
    await other.close()
  })

  test('export: narrows by site, device, metric and time', async () => {
    const span = { from: now - 10 * minuteMs, to: now - 5 * minuteMs }
    const { summary, path } = await run('some.csv', 'csv', { site: 'lodge', device: 'heater', ...span })
    expect(summary.rows).toBe(5)
    expect(readFileSync(path, 'utf8').split('\n')[1]).toMatch(/^2026-03-02T11:50:00.000Z,lodge,heater,power,/)
    expect((await run('none.csv', 'csv', { metric: 'nothing' })).summary.rows).toBe(0)
    expect(readFileSync(join(folder, 'none.csv'), 'utf8')).toBe('at,site,device,metric,value,unit,room\n')
  })

  test('export: derived series come where their device is named', async () => {
    const { summary } = await run('derived.csv', 'csv', { device: '@energy:heater', metric: 'energy' })
    expect(summary.rows).toBe((minutes * minuteMs) / quarterMs - 1)
  })

  test('export: roll-ups of every series, and energy of every device', async () => {
    const rollups = await run('hours.csv', 'csv', { what: 'rollups' })
    const lines = readFileSync(rollups.path, 'utf8').trimEnd().split('\n').slice(1)
    expect(rollups.summary.rows).toBe(lines.length)
    expect(new Set(lines.map((line) => line.split(',')[2]))).toContain("'=SUM(A1)")
    expect(lines.filter((line) => line.includes(',lodge,heater,'))).toHaveLength(200)
    const energy = await run('days.csv', 'csv', { what: 'energy', by: 'day', site: 'lodge' })
    const [head, first] = readFileSync(energy.path, 'utf8').split('\n')
    expect(head).toBe('from,to,site,device,energy_kwh,complete')
    expect(first).toMatch(/^2026-02-21T23:00:00.000Z,2026-02-22T23:00:00.000Z,lodge,heater,1\d\.\d+,false$/)
    expect(energy.summary.rows).toBe(9)
  })

  test('export: forecasts, none of which is there', async () => {
    expect((await run('next.csv', 'csv', { what: 'forecasts', site: 'nowhere' })).summary.rows).toBe(0)
  })

  test.each([
    [{ what: 'energy', metric: 'power' }, 'data_invalid'],
    [{ what: 'readings', by: 'day' }, 'data_invalid'],
    [{ what: 'forecasts', from: 0 }, 'data_invalid'],
    [{ what: 'readings', from: 5, to: 5 }, 'data_invalid'],
    [{ what: 'rollups', device: 'ghost' }, 'not_found'],
    [{ what: 'energy', site: 'nowhere' }, 'not_found'],
  ] as const)('export: %o is refused with %s', async (selection, code) => {
    await expect(run('x.csv', 'csv', selection)).rejects.toMatchObject({ code })
    expect(readdirSync(folder)).toEqual([])
  })

  test('export: leaves an older file as it was when it is stopped, and nothing else', async () => {
    const path = join(folder, 'kept.csv')
    writeFileSync(path, 'older')
    const stop = new AbortController()
    const from: typeof access = {
      request: async (...asked) => {
        const page = await access.request(...asked)
        stop.abort()
        return page
      },
    }
    for (const format of ['csv', 'parquet', 'json'] as const) {
      const { summary } = await run('kept.csv', format, {}, { from, signal: stop.signal })
      expect(summary).toMatchObject({ finished: false, exitCode: 130 })
      expect(describeExport(summary, path)).toContain('was not written')
      expect(readdirSync(folder)).toEqual(['kept.csv'])
      expect(readFileSync(path, 'utf8')).toBe('older')
    }
  })

  test('export: leaves nothing where a page fails after others', async () => {
    let pages = 0
    const from: typeof access = {
      request: async (...asked) => {
        if (++pages > 1) throw new Error('the hub is gone')
        return access.request(...asked)
      },
    }
    await expect(run('x.csv', 'csv', {}, { from })).rejects.toThrow('the hub is gone')
    expect(readdirSync(folder)).toEqual([])
  })

  test('export: names a file that cannot be written', async () => {
    await expect(run('absent/x.csv', 'csv')).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(/absent\/x\.csv: it cannot be written \(ENOENT/),
    })
    expect(existsSync(join(folder, 'absent'))).toBe(false)
  })

  test('export: draws a bar on a terminal', async () => {
    const { shown } = await run('all.csv', 'csv', {}, { isTTY: true })
    expect(shown).toMatch(/\d+ % \| [\d,]+ rows/)
  })
})
