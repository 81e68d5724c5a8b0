import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api'
import { duckdb } from './duckdb-api.ts'

const { BIGINT, INTEGER, LIST, listValue, VARCHAR } = duckdb

/** A bound parameter: a whole number, a text, or a list of either. Never part of the SQL text. */
export type Parameter = number | string | readonly number[] | readonly string[]

export type Cell = number | string

/**
 * One connection. One statement at a time: callers take turns.
 *
 * Every statement is planned anew, inside the transaction that runs it. DuckDB plans by the statistics of the moment
 * (smallest, largest, longest text) and runs a plan that was kept, or made before another commit, by statistics that
 * are no longer true: it then answers with an error, or wrongly (duckdb issues 23704 and 24182; met here as the text
 * "other" read back as "s"). A transaction sees no row younger than itself, so statistics taken inside it hold for all
 * that it sees.
 *
 * Queries select BIGINT columns as DOUBLE, exact to 2^53, so that no bigint reaches the caller.
 */
export class Session {
  readonly connection: DuckDBConnection
  #inTransaction = false

  constructor(connection: DuckDBConnection) {
    this.connection = connection
  }

  static async open(instance: DuckDBInstance): Promise<Session> {
    return new Session(await instance.connect())
  }

  async run(sql: string, parameters: readonly Parameter[] = []): Promise<void> {
    await this.columns(sql, parameters)
  }

  /** The result's columns, in order. */
  async columns(sql: string, parameters: readonly Parameter[] = []): Promise<Cell[][]> {
    if (!this.#inTransaction) return this.transaction(() => this.columns(sql, parameters))
    const result = await this.connection.run(sql, parameters.map(boundValue), parameters.map(boundType))
    const columns = (await result.getColumns()) as Cell[][]
    // without rows there is no chunk to tell the columns from
    while (columns.length < result.columnCount) columns.push([])
    return columns
  }

  /** Columns that hold numbers only. */
  async numbers(sql: string, parameters: readonly Parameter[] = []): Promise<number[][]> {
    return (await this.columns(sql, parameters)) as number[][]
  }

  /** Gives the result to `take` a chunk at a time, so that the event loop runs in between. */
  async stream(
    sql: string,
    parameters: readonly Parameter[],
    take: (chunk: DuckDBDataChunk) => void,
  ): Promise<void> {
    await this.transaction(async () => {
      const result = await this.connection.stream(sql, parameters.map(boundValue), parameters.map(boundType))
      for (;;) {
        const chunk = await result.fetchChunk()
        if (!chunk || chunk.rowCount === 0) return
        take(chunk)
      }
    })
  }

  /** All statements of `work` see one state of the data, and all of them count or none. */
  async transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.connection.run('BEGIN')
    this.#inTransaction = true
    try {
      const result = await work()
      await this.connection.run('COMMIT')
      return result
    } catch (error) {
      // a commit that failed has rolled back by itself; the first error is the one that tells
      await this.connection.run('ROLLBACK').catch(() => undefined)
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  /** Moves the write-ahead log into the file. */
  async checkpoint(): Promise<void> {
    await this.connection.run('CHECKPOINT')
  }

  close(): void {
    this.connection.closeSync()
  }
}

/** Whole numbers are bound as integers: a DOUBLE in a comparison would keep DuckDB from skipping row groups. */
export function boundValue(parameter: Parameter): DuckDBValue {
  if (typeof parameter === 'number') return BigInt(Math.round(parameter))
  return typeof parameter === 'string' ? parameter : listValue(parameter)
}

export function boundType(parameter: Parameter): DuckDBType {
  if (typeof parameter === 'number') return BIGINT
  if (typeof parameter === 'string') return VARCHAR
  return typeof parameter[0] === 'string' ? LIST(VARCHAR) : LIST(INTEGER)
}
