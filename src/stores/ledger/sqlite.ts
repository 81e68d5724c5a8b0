import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseConnection, Driver, SqliteDatabase } from 'kysely'
import Libsql from 'libsql'
import AsyncLibsql from 'libsql/promise'
import { HomeostatError } from '../../core/errors.ts'
import type { Ledger } from '../../core/ports.ts'
import type { ColumnTypes } from './columns.ts'
import { Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from './kysely.ts'
import { migrate } from './migrations.ts'
import type { Database } from './schema.ts'
import { type LedgerOptions, SqlLedger } from './sql.ts'

export interface SqliteLedgerOptions extends LedgerOptions {
  /** Holds `ledger.db` and, while open, its write-ahead log; made by `open` where it is missing. */
  readonly folder: string
}

/**
 * The ledger in one SQLite file. Every write is on disk when it resolves (WAL with synchronous=FULL: NORMAL would lose
 * acknowledged rows at a power cut). Statements block the loop, so each is kept short; what waits for the disk, a
 * commit, runs in another thread: no reading waits for it.
 * `open` throws HomeostatError `file_unreadable` for a file that is damaged, foreign, or newer than this program.
 */
export function createSqliteLedger({ folder, ...options }: SqliteLedgerOptions): Ledger {
  const file = join(folder, 'ledger.db')
  let connection: Libsql.Database | undefined
  return new SqlLedger(
    {
      async open() {
        await mkdir(folder, { recursive: true })
        const opened = connect(file)
        connection = opened
        const db = new Kysely<Database>({ dialect: new Dialect(opened) })
        try {
          await migrate(db, columnTypes, file)
        } catch (error) {
          opened.close()
          throw error
        }
        return db
      },
      rowId: 'rowid',
      explain: diskProblem,
      isRefusal: (error) => /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(codeOf(error)),
      async tidy(db) {
        // the connection is held meanwhile: a statement beside it would wait for it, and block the loop
        await db.connection().execute(async () => {
          if (connection) await inThread(connection, 'pragma wal_checkpoint(TRUNCATE)')
        })
      },
    },
    options,
  )
}

/** `integer primary key` is SQLite's row id, counted up by itself; text sorts by bytes anyway. */
const columnTypes: ColumnTypes = { counter: 'integer', text: 'text', bytes: 'blob' }

/** How long to wait for another process (a backup, the doctor); it blocks the loop, so not for long. */
const busyTimeoutMs = 2_000

/** The write-ahead log is cut back to this after a checkpoint. */
const journalLimitBytes = 4 << 20

/** SQLite can roll back schema changes; Kysely leaves that off for rebuilding tables with foreign keys on. */
class Dialect extends SqliteDialect {
  readonly #connection: Libsql.Database

  constructor(connection: Libsql.Database) {
    super({ database: tidilyClosed(connection) })
    this.#connection = connection
  }

  override createAdapter(): TransactionalAdapter {
    return new TransactionalAdapter()
  }

  override createDriver(): Driver {
    return new ThreadedDriver(this.#connection)
  }
}

/** Commits in another thread. Kysely lends the one connection to nobody else meanwhile. */
class ThreadedDriver extends SqliteDriver {
  readonly #connection: Libsql.Database

  constructor(connection: Libsql.Database) {
    super({ database: tidilyClosed(connection) })
    this.#connection = connection
  }

  override async commitTransaction(_connection: DatabaseConnection): Promise<void> {
    await inThread(this.#connection, 'commit')
  }

  /** SQLite itself rolls back a transaction for which the disk has no room; the first error is the one that tells. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.inTransaction) await super.rollbackTransaction(connection)
  }
}

/** Runs a statement without rows; the loop goes on meanwhile. Both classes of libsql hold the same connection. */
const inThread = (connection: Libsql.Database, text: string): Promise<unknown> =>
  Promise.resolve(Reflect.apply(AsyncLibsql.prototype.exec, connection, [text]))

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Closing a connection of libsql leaves the log unmerged; merged, the one file is the whole ledger and can be copied. */
const tidilyClosed = (db: Libsql.Database): SqliteDatabase => ({
  prepare: (text) => db.prepare(text),
  close() {
    try {
      db.pragma('wal_checkpoint(TRUNCATE)')
    } finally {
      db.close()
    }
  },
})

/** What the disk refuses is no fault of the hub: no room, no right to write, a failed read or write. */
function diskProblem(error: unknown): unknown {
  if (!/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY)/.test(codeOf(error))) return error
  return new HomeostatError('change_not_stored', { detail: (error as Error).message }, error)
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

function connect(file: string): Libsql.Database {
  let db: Libsql.Database | undefined
  try {
    db = new Libsql(file)
    db.pragma(`busy_timeout = ${busyTimeoutMs}`)
    refuseDamaged(db)
    refuseForeign(db)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    db.pragma(`journal_size_limit = ${journalLimitBytes}`)
    return db
  } catch (error) {
    db?.close()
    const detail = error instanceof Error ? error.message : String(error)
    throw new HomeostatError('file_unreadable', { file, detail }, error)
  }
}

function refuseDamaged(db: Libsql.Database): void {
  const [found] = db.prepare('pragma quick_check(1)').pluck().all()
  if (found !== 'ok') throw new Error(`it is damaged (${found}); restore it from a backup`)
}

function refuseForeign(db: Libsql.Database): void {
  const tables = db
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    .pluck()
    .all()
  if (tables.length > 0 && !tables.includes('homeostat_migration')) {
    throw new Error('it is a database of another program and was left as it is; choose another data folder')
  }
}
