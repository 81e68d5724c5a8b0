import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseConnection, Driver, Kysely as KyselyOf, SqliteDatabase } from 'kysely'
import Libsql from 'libsql'
import AsyncLibsql from 'libsql/promise'
import { changesMax, isEarlierChange, type LedgerContents } from '../../core/contents.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { Freezable } from '../../core/frozen.ts'
import type { Ledger } from '../../core/ports.ts'
import type { ColumnTypes } from './columns.ts'
import { Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from './kysely.ts'
import { migrate, refuseNewer } from './migrations.ts'
import type { Database } from './schema.ts'
import { type LedgerOptions, SqlLedger } from './sql.ts'
import { LedgerFile } from './sqlite-file.ts'

export interface SqliteLedgerOptions extends LedgerOptions {
  /** Holds `ledger.db` and, while open, its write-ahead log; made by `open` where it is missing. */
  readonly folder: string
  /** Notices at `open` that changes are lost; absent: does not look. */
  readonly contents?: LedgerContents | undefined
}

interface Opened {
  readonly connection: Libsql.Database
  readonly file: LedgerFile
  readonly db: KyselyOf<Database>
}

/**
 * The ledger in one SQLite file. Every write is on disk when it resolves (WAL with synchronous=FULL: NORMAL would lose
 * acknowledged rows at a power cut). Statements block the loop, so each is kept short; what waits for the disk, a
 * commit, runs in another thread: no reading waits for it.
 * `open` throws HomeostatError `file_unreadable` for a file that is damaged, foreign, or newer than this program,
 * `data_damaged` for a page that is not what was written, and `data_lost` where changes are missing.
 */
export function createSqliteLedger({
  folder,
  contents,
  ...options
}: SqliteLedgerOptions): Ledger & Freezable {
  const path = join(folder, 'ledger.db')
  let opened: Opened | undefined
  const ledger = new SqlLedger(
    {
      async open() {
        await mkdir(folder, { recursive: true })
        const file = new LedgerFile(path)
        try {
          opened = await openFile(path, file, contents)
        } catch (error) {
          file.close()
          throw error
        }
        return opened.db
      },
      rowId: 'rowid',
      explain: diskProblem,
      isRefusal: (error) => /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(codeOf(error)),
      async tidy(db) {
        // the connection is held meanwhile: a statement beside it would wait for it, and block the loop
        await db.connection().execute(async () => {
          if (opened) await opened.file.checkpointInThread(opened.connection, inThread)
        })
      },
    },
    options,
  )
  const freeze: Freezable['freeze'] = async () => {
    if (!opened) throw new HomeostatError('stopping')
    const { db, file } = opened
    return db.connection().execute(async () => file.freeze())
  }
  return Object.assign(ledger, { freeze })
}

async function openFile(
  path: string,
  file: LedgerFile,
  contents: LedgerContents | undefined,
): Promise<Opened> {
  // before SQLite has the file: see LedgerFile
  file.hold()
  const connection = connect(path)
  try {
    const db = new Kysely<Database>({
      dialect: new Dialect(connection, file, (change) => contents?.markLedger(change)),
    })
    await refuseNewer(db, columnTypes, path)
    file.verify()
    requireChanges(connection, contents)
    await migrate(db, columnTypes, path)
    return { connection, file, db }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Throws `data_lost` where the file is older than it was when it was last written. */
function requireChanges(connection: Libsql.Database, contents: LedgerContents | undefined): void {
  const change = changeOf(connection)
  if (contents?.known && isEarlierChange(change, contents.known.ledger) && !contents.acceptLoss) {
    const lost = contents.known.ledger - change
    const detail = `the ledger lacks the last ${lost > 0 ? lost : ''} changes that it had stored; its file or its log (ledger.db-wal) was deleted, damaged or replaced by an older copy`
    throw new HomeostatError('data_lost', { folder: contents.folder, detail })
  }
  contents?.markLedger(change)
}

/** Number of the last transaction; SQLite keeps it with the data, and has no other use for it. */
const changeOf = (connection: Libsql.Database): number =>
  Number(connection.prepare('pragma user_version').pluck().all()[0])

/** `integer primary key` is SQLite's row id, counted up by itself; text sorts by bytes anyway. */
const columnTypes: ColumnTypes = { counter: 'integer', text: 'text', bytes: 'blob' }

/** How long to wait for another process (a backup, the doctor); it blocks the loop, so not for long. */
const busyTimeoutMs = 2_000

/** SQLite can roll back schema changes; Kysely leaves that off for rebuilding tables with foreign keys on. */
class Dialect extends SqliteDialect {
  readonly #connection: Libsql.Database
  readonly #file: LedgerFile
  readonly #onCommit: (change: number) => void

  constructor(connection: Libsql.Database, file: LedgerFile, onCommit: (change: number) => void) {
    super({ database: tidilyClosed(connection, file) })
    this.#connection = connection
    this.#file = file
    this.#onCommit = onCommit
  }

  override createAdapter(): TransactionalAdapter {
    return new TransactionalAdapter()
  }

  override createDriver(): Driver {
    return new ThreadedDriver(this.#connection, this.#file, this.#onCommit)
  }
}

/** Whether the transaction under way has a statement that may write. */
interface Use {
  isWriting: boolean
}

const writing = /^\s*(insert|update|delete|replace|create|alter|drop|with)\b/i

/** Commits in another thread. Kysely lends the one connection to nobody else meanwhile. */
class ThreadedDriver extends SqliteDriver {
  readonly #connection: Libsql.Database
  readonly #file: LedgerFile
  readonly #onCommit: (change: number) => void
  readonly #use: Use
  #change: number

  constructor(connection: Libsql.Database, file: LedgerFile, onCommit: (change: number) => void) {
    const use: Use = { isWriting: false }
    super({ database: tidilyClosed(connection, file, use) })
    this.#use = use
    this.#connection = connection
    this.#file = file
    this.#onCommit = onCommit
    this.#change = changeOf(connection)
  }

  /** Each transaction that writes has a number: the next start notices whether the last one is still there. */
  override async commitTransaction(_connection: DatabaseConnection): Promise<void> {
    const isWrite = this.#use.isWriting
    const change = isWrite ? nextChange(this.#change) : this.#change
    if (isWrite) this.#connection.prepare(`pragma user_version = ${change}`).run()
    await inThread(this.#connection, 'commit')
    this.#use.isWriting = false
    if (!isWrite) return
    this.#change = change
    this.#onCommit(change)
    if (!this.#file.isLogLong) return
    // it is committed: a log that cannot be moved now is moved after a later commit
    await this.#file.checkpointInThread(this.#connection, inThread).catch(() => undefined)
  }

  /** SQLite itself rolls back a transaction for which the disk has no room; the first error is the one that tells. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    this.#use.isWriting = false
    if (this.#connection.inTransaction) await super.rollbackTransaction(connection)
  }
}

const nextChange = (change: number): number => (change < changesMax ? change + 1 : 0)

/** Runs a statement without rows; the loop goes on meanwhile. Both classes of libsql hold the same connection. */
const inThread = (connection: Libsql.Database, text: string): Promise<unknown> =>
  Promise.resolve(Reflect.apply(AsyncLibsql.prototype.exec, connection, [text]))

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Closing a connection of libsql leaves the log unmerged; merged, the one file is the whole ledger and can be copied. */
const tidilyClosed = (
  connection: Libsql.Database,
  file: LedgerFile,
  use: Use = { isWriting: false },
): SqliteDatabase => ({
  prepare(text) {
    use.isWriting ||= writing.test(text)
    return connection.prepare(text)
  },
  close() {
    try {
      file.checkpoint(connection)
    } finally {
      connection.close()
      file.close()
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

function connect(path: string): Libsql.Database {
  let db: Libsql.Database | undefined
  try {
    db = new Libsql(path)
    db.pragma(`busy_timeout = ${busyTimeoutMs}`)
    refuseDamaged(db)
    refuseForeign(db)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // its checkpoints are ours to time: see LedgerFile
    db.pragma('wal_autocheckpoint = 0')
    return db
  } catch (error) {
    db?.close()
    const detail = error instanceof Error ? error.message : String(error)
    throw new HomeostatError('file_unreadable', { file: path, detail }, error)
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
