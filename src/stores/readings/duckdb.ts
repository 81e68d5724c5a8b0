import { join } from 'node:path'
import type { DeviceChange } from '../../core/device.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { Rollup, Series, SeriesKey } from '../../core/event.ts'
import type { Freezable, FrozenFiles } from '../../core/frozen.ts'
import type {
  Columns,
  ReadingFilter,
  ReadingPosition,
  ReadingStore,
  SeriesColumns,
} from '../../core/ports.ts'
import { type Reading, requireStorable } from '../../core/reading.ts'
import { hourMs } from '../../core/time.ts'
import { Turns } from '../../core/turns.ts'
import { applyChange, dropSeries } from './duckdb-change.ts'
import { type DatabaseFile, openDatabase, rebuildHint } from './duckdb-file.ts'
import { closeReaders, fromMs, inSession, type Readers, readNewest, readPage, toMs } from './duckdb-reader.ts'
import { readRollups } from './duckdb-rollup.ts'
import { scanSeries } from './duckdb-scan.ts'
import { readingTables, tableNames } from './duckdb-schema.ts'
import { SeriesTable } from './duckdb-series.ts'
import { Session } from './duckdb-session.ts'
import { Upkeep } from './duckdb-upkeep.ts'
import { Writer } from './duckdb-writer.ts'

export interface DuckDbOptions {
  /** Holds `readings.duckdb` and its log; created when missing. One process at a time. */
  readonly folder: string
  /** Memory of the engine; beyond it sorts and groups go to a temporary folder beside the file. Default 128. */
  readonly memoryLimitMb?: number
  /** Threads of the engine, all queries together. Default 2. */
  readonly threads?: number
  /** The write-ahead log is moved into the file beyond this; it never grows to much more than twice. Default 16 MB. */
  readonly walLimitBytes?: number
}

/** Statements that read at the same time. Two of libuv's four threads stay for the writer and upkeep. */
const queriesMax = 2

/** Readings in one DuckDB file: a log that is deduplicated when read and when compacted, with hours kept beside it. */
export function createDuckDbReadings(options: DuckDbOptions): ReadingStore & Freezable {
  return new DuckDbReadings(options)
}

interface Opened {
  readonly file: DatabaseFile
  readonly series: SeriesTable
  readonly session: Session
  readonly writer: Writer
  readonly upkeep: Upkeep
  readonly readers: Readers
}

/**
 * DuckDB invalidates its instance after some failures, such as a checkpoint on a full disk: every statement fails from
 * then on. The store then opens the file again, before the next call.
 */
class DuckDbReadings implements ReadingStore, Freezable {
  readonly #options: DuckDbOptions
  #opened: Opened | undefined
  #reopening: Promise<Opened> | undefined
  #closed = true

  constructor(options: DuckDbOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    this.#opened = await openStore(this.#options)
    this.#closed = false
  }

  async append(readings: readonly Reading[], position?: number): Promise<void> {
    if (readings.length === 0 && position === undefined) return
    requireStorable(readings)
    await this.#use(({ writer }) => writer.append(readings, position))
  }

  async position(): Promise<number> {
    return this.#use(({ readers }) =>
      inSession(readers, async (session) => {
        const [[position]] = (await session.numbers('SELECT position::DOUBLE FROM journal')) as [[number]]
        return position
      }),
    )
  }

  async read(filter: ReadingFilter, limit: number, after?: ReadingPosition): Promise<Reading[]> {
    return this.#use(({ readers }) => readPage(readers, filter, limit, after))
  }

  async newest(perSeries: number, only?: readonly SeriesKey[]): Promise<Reading[]> {
    return this.#use(({ readers, writer }) => readNewest(readers, perSeries, writer.lastSeq, only))
  }

  async *scan(series: SeriesKey, from: number, to: number): AsyncGenerator<Columns> {
    yield* this.scanMany([series], from, to)
  }

  async *scanMany(keys: readonly SeriesKey[], from: number, to: number): AsyncGenerator<SeriesColumns> {
    const opened = await this.#ready()
    const { readers } = opened
    const ids = keys.map((key) => readers.series.idOf(key)).filter((id) => id !== undefined)
    try {
      yield* scanSeries(readers, ids, from, to)
    } catch (error) {
      this.#look(opened, error)
      throw error
    }
  }

  async rollups(series: SeriesKey, from: number, to: number): Promise<Rollup[]> {
    return this.#use(async ({ readers, upkeep }) => {
      const id = readers.series.idOf(series)
      if (id === undefined) return []
      const range = { from: hourFrom(fromMs(from)), to: hourFrom(toMs(to)) }
      const source = { series: id, table: readers.series.tableOf(id) }
      return inSession(readers, (session) => readRollups(session, source, range, upkeep.mark))
    })
  }

  async series(): Promise<Series[]> {
    return this.#use(async (opened) => opened.series.all())
  }

  async stats(): Promise<{ readonly readings: number; readonly bytes: number }> {
    return this.#use(async ({ readers, file, series }) => {
      const hidden = series.hidden().map(({ id }) => id)
      const readings = await inSession(readers, (session) => countRows(session, hidden))
      const { data, wal } = file.bytes()
      return { readings, bytes: data + wal }
    })
  }

  async removeSite(site: string): Promise<void> {
    await this.#use(({ upkeep, writer, ...rest }) =>
      upkeep.exclusive(() => writer.alone(() => eraseSite(rest, site))),
    )
  }

  async change(change: DeviceChange, position?: number): Promise<void> {
    await this.#use(({ upkeep, writer, ...rest }) =>
      upkeep.exclusive(() => writer.alone(() => applyChange({ writer, ...rest }, change, position))),
    )
  }

  async maintain(keepFrom?: number): Promise<void> {
    await this.#use(({ upkeep, writer }) => upkeep.maintain(writer.lastSeq, keepFrom))
  }

  async freeze(): Promise<FrozenFiles> {
    return this.#use(freezeStore)
  }

  /** Lets what was called before come to its end. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#reopening?.catch(() => undefined)
    const opened = this.#opened
    this.#opened = undefined
    if (opened) await closeStore(opened)
  }

  /** Throws `stopping` before `open` and after `close`. */
  async #use<Result>(work: (opened: Opened) => Promise<Result>): Promise<Result> {
    const opened = await this.#ready()
    try {
      return await work(opened)
    } catch (error) {
      this.#look(opened, error)
      throw error
    }
  }

  async #ready(): Promise<Opened> {
    if (this.#closed) throw new HomeostatError('stopping')
    return this.#opened ?? this.#reopening ?? this.#reopen()
  }

  /** Gives up an instance that DuckDB has invalidated. */
  #look(opened: Opened, error: unknown): void {
    const isInvalid = /database has been invalidated/.test(String(error))
    // a statement of an instance that was given up already may fail later
    if (!isInvalid || this.#closed || this.#opened !== opened) return
    this.#opened = undefined
    // where it fails, the next call tries again
    this.#reopen(opened).catch(() => undefined)
  }

  /** `invalid`: the instance that is to be closed first. */
  #reopen(invalid?: Opened): Promise<Opened> {
    const open = async (): Promise<Opened> => {
      try {
        if (invalid) await abandonStore(invalid)
        this.#opened = await openStore(this.#options)
        return this.#opened
      } finally {
        this.#reopening = undefined
      }
    }
    this.#reopening = open()
    return this.#reopening
  }
}

async function openStore({
  folder,
  memoryLimitMb = 128,
  threads = 2,
  walLimitBytes = 16 * 1024 * 1024,
}: DuckDbOptions): Promise<Opened> {
  const file = await openDatabase({ folder, memoryLimitMb, threads })
  try {
    const session = await Session.open(file.instance)
    await readWhole(session, join(folder, 'readings.duckdb'))
    const series = new SeriesTable()
    await series.load(session)
    const withoutCommits = (work: () => Promise<void>): Promise<void> => writer.alone(work)
    const upkeep = await Upkeep.open(file, { walLimitBytes, withoutCommits })
    const nextSeq = Math.max(await lastSeq(session), upkeep.mark) + 1
    const writer: Writer = new Writer(session, series, nextSeq, () => upkeep.boundLogBeforeCommit())
    const readers: Readers = {
      ...{ instance: file.instance, series, queries: new Turns(queriesMax) },
      ...{ idle: [], closed: false },
    }
    return { file, series, session, writer, upkeep, readers }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Reads every block once: DuckDB compares a block with its checksum when it reads it, which may otherwise be months later.
 * Throws `data_damaged`.
 */
async function readWhole(session: Session, path: string): Promise<void> {
  try {
    for (const table of tableNames) await session.numbers(`SELECT bit_xor(hash(t))::DOUBLE FROM ${table} t`)
  } catch (error) {
    const detail = `a part of it cannot be read (${String(error).split('\n')[0]})`
    throw new HomeostatError('data_damaged', { file: path, detail, otherwise: rebuildHint }, error)
  }
}

async function closeStore({ file, session, writer, upkeep, readers }: Opened): Promise<void> {
  await writer.idle()
  try {
    await upkeep.close()
  } finally {
    session.close()
    closeReaders(readers)
    await file.close()
  }
}

/** Statements under way have failed, or fail now. */
async function abandonStore({ file, session, writer, upkeep, readers }: Opened): Promise<void> {
  await writer.idle()
  await upkeep.abandon()
  closeReaders(readers)
  session.close()
  await file.close()
}

/** Until the files are released there is no upkeep, and no log is moved into the file. */
const freezeStore = ({ file, upkeep, writer }: Opened): Promise<FrozenFiles> =>
  new Promise((resolve, reject) => {
    const hold = (): Promise<void> =>
      new Promise((release) => {
        const freeze = async (): Promise<void> => resolve({ files: file.frozen(), release })
        writer.alone(freeze).catch((error: unknown) => {
          reject(error)
          release()
        })
      })
    upkeep.exclusive(hold).catch(reject)
  })

async function eraseSite(
  { series, session }: Pick<Opened, 'series' | 'session'>,
  site: string,
): Promise<void> {
  const hidden = series.hidden().filter((entry) => entry.series.site === site)
  const ids = [...(series.matching({ sites: [site] }) ?? []), ...hidden.map(({ id }) => id)]
  if (ids.length === 0) return
  await session.transaction(() => dropSeries(session, ids))
  await series.load(session)
}

/** Rows that are in answers. */
async function countRows(session: Session, hidden: readonly number[]): Promise<number> {
  let rows = 0
  for (const table of readingTables) {
    const without = hidden.length === 0 ? '' : 'WHERE series NOT IN (SELECT unnest($1::INTEGER[]))'
    const bound = hidden.length === 0 ? [] : [hidden]
    const [[count]] = (await session.numbers(`SELECT count(*)::DOUBLE FROM ${table} ${without}`, bound)) as [
      [number],
    ]
    rows += count
  }
  return rows
}

/** The first start of an hour at or after `at`. */
const hourFrom = (at: number): number => Math.ceil(at / hourMs) * hourMs

/** The highest number of a row on disk, -1 without any. */
async function lastSeq(session: Session): Promise<number> {
  let last = -1
  for (const table of readingTables) {
    const [[highest]] = (await session.numbers(`SELECT max(seq)::DOUBLE FROM ${table}`)) as [[number | null]]
    last = Math.max(last, highest ?? -1)
  }
  return last
}
