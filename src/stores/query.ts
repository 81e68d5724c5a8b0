import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { HomeostatError } from '../core/errors.ts'
import { duckdb } from './readings/duckdb-api.ts'

/** The answer of a query: names of columns, and rows of texts, numbers, booleans and null. */
export interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  /** There are more rows than were asked for. */
  readonly isCut: boolean
}

/**
 * Runs one query on the ledger of a data folder, which a hub may use meanwhile. Nothing is written, not even a log that is
 * waiting. Rejects with `not_found` without a ledger, and with `data_invalid` for what is no query of it.
 */
export async function queryLedger(folder: string, sql: string, limit: number): Promise<Answer> {
  const file = join(folder, 'ledger.db')
  requireFile(file)
  const db = new Libsql(file)
  try {
    db.pragma('busy_timeout = 2000')
    db.pragma('query_only = ON')
    db.pragma('wal_autocheckpoint = 0')
    const statement = db.prepare(sql).raw(true)
    const columns = statement.columns().map(({ name }) => name)
    const rows: (readonly unknown[])[] = []
    for (const row of statement.iterate()) {
      rows.push((row as readonly unknown[]).map(plain))
      if (rows.length > limit) break
    }
    return { columns, rows: rows.slice(0, limit), isCut: rows.length > limit }
  } catch (error) {
    throw refused(error)
  } finally {
    db.close()
  }
}

/**
 * The same for the store of readings, which no hub may use meanwhile: DuckDB gives its file to one process. Rejects with
 * `data_locked` then.
 */
export async function queryReadings(folder: string, sql: string, limit: number): Promise<Answer> {
  const file = join(folder, 'readings.duckdb')
  requireFile(file)
  try {
    const instance = await duckdb.DuckDBInstance.create(file, {
      access_mode: 'READ_ONLY',
      enable_external_access: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    try {
      const connection = await instance.connect()
      const reader = await connection.streamAndReadUntil(sql, limit + 1)
      const rows = reader.getRowsJS().map((row) => row.map(plain))
      connection.closeSync()
      return { columns: reader.columnNames(), rows: rows.slice(0, limit), isCut: rows.length > limit }
    } finally {
      instance.closeSync()
    }
  } catch (error) {
    const holder = /lock on file.*\(PID (\d+)\)/s.exec(String(error))?.[1]
    if (holder !== undefined) throw new HomeostatError('data_locked', { folder, pid: holder }, error)
    throw refused(error)
  }
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw new HomeostatError('not_found', { what: `file ${file}` })
}

const refused = (error: unknown): HomeostatError => {
  const message = error instanceof Error ? error.message : String(error)
  return new HomeostatError(
    'data_invalid',
    { detail: (message.split('\n')[0] ?? '').replace(/[.\s]+$/, '') },
    error,
  )
}

/** Whole numbers as numbers, bytes by their length. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return value
}
