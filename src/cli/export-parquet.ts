import type { CsvColumn } from '../contract/csv.ts'
import { duckdb } from '../stores/readings/duckdb-api.ts'

const types: Readonly<Record<CsvColumn['kind'], string>> = {
  // a moment in UTC, not a wall-clock time
  time: 'TIMESTAMPTZ',
  text: 'VARCHAR',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
}

/** Loads nothing from the network, and takes no more memory however long the file is. */
const options = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  memory_limit: '512MB',
  threads: '2',
}

/** Writes the rows of a CSV file, as `csvRow` writes them without guarding, as Parquet. */
export async function writeParquet(
  csvPath: string,
  parquetPath: string,
  columns: readonly CsvColumn[],
): Promise<void> {
  const instance = await duckdb.DuckDBInstance.create(':memory:', options)
  try {
    const connection = await instance.connect()
    const struct = columns.map(({ name, kind }) => `${quoted(name)}: '${types[kind]}'`).join(', ')
    const reader = `read_csv(${quoted(csvPath)}, columns = {${struct}}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '')`
    await connection.run(
      `COPY (SELECT * FROM ${reader}) TO ${quoted(parquetPath)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    connection.closeSync()
  } finally {
    instance.closeSync()
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
