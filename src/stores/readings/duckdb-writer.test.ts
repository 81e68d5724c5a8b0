import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, expect, it } from 'vitest'
import type { Reading } from '../../core/reading.ts'
import { openDatabase } from './duckdb-file.ts'
import { SeriesTable } from './duckdb-series.ts'
import { Session } from './duckdb-session.ts'
import { Writer } from './duckdb-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'readings-writer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const batch = (from: number, count: number): Reading[] =>
  Array.from({ length: count }, (_, row) => ({
    ...{ site: 'home', device: 'meter', metric: 'power', unit: 'W' },
    ...{ value: from + row, at: 1_704_067_200_000 + from + row },
  }))

/** A session whose inserts say that they took one row less while `lies.now`. */
function lying(session: Session, lies: { now: boolean }): Session {
  const connection = new Proxy(session.connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'prepare') return value.bind(target)
      return async (sql: string) => {
        const statement = await target.prepare(sql)
        return {
          bind: statement.bind.bind(statement),
          run: async () => {
            const { rowsChanged } = await statement.run()
            return { rowsChanged: lies.now ? rowsChanged - 1 : rowsChanged }
          },
        }
      }
    },
  })
  return new Session(connection as DuckDBConnection)
}

// few rows and many take different ways into the engine
for (const count of [3, 300]) {
  it(`does not acknowledge ${count} readings of which the engine took fewer, and gives no number twice`, async () => {
    const file = await openDatabase({
      folder: join(folder, String(count)),
      memoryLimitMb: 128,
      threads: 1,
    })
    const lies = { now: false }
    const session = lying(await Session.open(file.instance), lies)
    const writer = new Writer(session, new SeriesTable(), 0, () => undefined)
    await writer.append(batch(0, count))
    lies.now = true
    await expect(writer.append(batch(1000, count))).rejects.toThrow(
      `DuckDB stored ${count - 1} of ${count} readings`,
    )
    lies.now = false
    await writer.append(batch(2000, count))
    expect(writer.lastSeq).toBe(3 * count - 1)
    const [[rows, numbers]] = (await session
      .columns('SELECT count(*)::DOUBLE, count(DISTINCT seq)::DOUBLE FROM readings')
      .then(([all, distinct]) => [[all![0], distinct![0]]])) as [[number, number]]
    expect(numbers).toBe(rows)
    session.close()
    await file.close()
  })
}
