import type { DuckDBConnection } from '@duckdb/node-api'
import { hourMs } from '../../core/time.ts'

/**
 * The tables. None has a primary key or an index: readings are a log, and DuckDB finds its rows by the smallest and
 * largest value that it keeps for each row group.
 *
 * `readings` is append-only. `seq` counts every row ever appended and so orders duplicates and marks how far the
 * roll-ups are. `rollups` holds an hour of a series a row; `closed` means that its readings are gone and only the
 * hour is left. `loose` counts, per period, the roll-ups that lie there unsorted.
 */
const tables = [
  `CREATE TABLE series (
     id INTEGER NOT NULL, site VARCHAR NOT NULL, device VARCHAR NOT NULL, metric VARCHAR NOT NULL,
     unit VARCHAR NOT NULL, room VARCHAR NOT NULL)`,
  'CREATE TABLE readings (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, value DOUBLE NOT NULL, seq BIGINT NOT NULL)',
  `CREATE TABLE rollups (
     series INTEGER NOT NULL, at_ms BIGINT NOT NULL, n INTEGER NOT NULL, min DOUBLE NOT NULL, max DOUBLE NOT NULL,
     mean DOUBLE NOT NULL, first DOUBLE NOT NULL, last DOUBLE NOT NULL, closed BOOLEAN NOT NULL)`,
  'CREATE TABLE loose (period BIGINT NOT NULL, n BIGINT NOT NULL)',
  'CREATE TABLE upkeep (rolled_to BIGINT NOT NULL)',
  'INSERT INTO upkeep VALUES (-1)',
]

export async function createTables(connection: DuckDBConnection): Promise<void> {
  for (const table of tables) await connection.run(table)
}

/** Start of the UTC hour, in SQL. Integer division; times before 1970 do not occur. */
export const hourOf = (column: string): string => `(${column} // ${hourMs} * ${hourMs})`
