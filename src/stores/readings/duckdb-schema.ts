import type { DuckDBConnection } from '@duckdb/node-api'
import { hourMs } from '../../core/time.ts'

/** The tables that hold readings: measured ones, and derived ones (`isDerived`) apart, where the many others cost nothing. */
export type ReadingTable = 'readings' | 'derived'
export const readingTables: readonly ReadingTable[] = ['readings', 'derived']

const readingColumns =
  'series INTEGER NOT NULL, at_ms BIGINT NOT NULL, value DOUBLE NOT NULL, seq BIGINT NOT NULL'

/**
 * The tables. None has a primary key or an index: readings are a log, and DuckDB finds its rows by the smallest and
 * largest value that it keeps for each row group.
 *
 * `readings` and `derived` are append-only. `seq` counts every row ever appended to either and so orders duplicates and
 * marks how far the roll-ups are. `journal` holds the position of the last frame of the journal whose readings are here. `rollups` holds an hour of a series a row; `closed` means that its readings are gone
 * and only the hour is left. `loose` counts, per period, the roll-ups that lie there unsorted.
 */
const tables = [
  `CREATE TABLE series (
     id INTEGER NOT NULL, site VARCHAR NOT NULL, device VARCHAR NOT NULL, metric VARCHAR NOT NULL,
     unit VARCHAR NOT NULL, room VARCHAR NOT NULL)`,
  `CREATE TABLE readings (${readingColumns})`,
  `CREATE TABLE rollups (
     series INTEGER NOT NULL, at_ms BIGINT NOT NULL, n INTEGER NOT NULL, min DOUBLE NOT NULL, max DOUBLE NOT NULL,
     mean DOUBLE NOT NULL, first DOUBLE NOT NULL, last DOUBLE NOT NULL, closed BOOLEAN NOT NULL)`,
  'CREATE TABLE loose (period BIGINT NOT NULL, n BIGINT NOT NULL)',
  'CREATE TABLE upkeep (rolled_to BIGINT NOT NULL)',
  'INSERT INTO upkeep VALUES (-1)',
]

/** All of them. */
export const tableNames = [...readingTables, 'series', 'rollups', 'loose', 'upkeep', 'journal'] as const

export async function createTables(connection: DuckDBConnection): Promise<void> {
  for (const table of tables) await connection.run(table)
  await upgradeTables(connection)
}

/** Series of the table `series` that hold derived readings, in SQL. */
export const derivedSeries = "SELECT id FROM series WHERE starts_with(device, '@')"

/** Brings the tables of an earlier version up to date, each step in one transaction. */
export async function upgradeTables(connection: DuckDBConnection): Promise<void> {
  if (!(await hasTable(connection, 'derived'))) await separateDerived(connection)
  if (!(await hasTable(connection, 'journal')))
    await connection.run('CREATE TABLE journal AS SELECT 0::BIGINT AS position')
}

export async function hasTable(connection: DuckDBConnection, name: string): Promise<boolean> {
  const found = await connection.run('SELECT 1 FROM duckdb_tables() WHERE table_name = $1', [name])
  return (await found.getRows()).length > 0
}

async function separateDerived(connection: DuckDBConnection): Promise<void> {
  await connection.run('BEGIN')
  await connection.run(`CREATE TABLE derived (${readingColumns})`)
  // names that are reserved now were allowed before
  await connection.run(`INSERT INTO derived SELECT * FROM readings WHERE series IN (${derivedSeries})`)
  await connection.run(`DELETE FROM readings WHERE series IN (${derivedSeries})`)
  await connection.run('COMMIT')
}

/** Start of the UTC hour, in SQL. Integer division; times before 1970 do not occur. */
export const hourOf = (column: string): string => `(${column} // ${hourMs} * ${hourMs})`
