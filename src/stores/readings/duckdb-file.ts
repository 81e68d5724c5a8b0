import { existsSync, realpathSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open as openFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { HomeostatError } from '../../core/errors.ts'
import { type FrozenFile, readPieces } from '../../core/frozen.ts'
import { fsyncFolder } from '../fsync-folder.ts'
import { DiskFull, freeBytes } from '../room.ts'
import { duckdb } from './duckdb-api.ts'
import { createTables, hasTable, upgradeTables } from './duckdb-schema.ts'
import type { Session } from './duckdb-session.ts'
import { checkpointWithUndo, takeBack, undoOf } from './duckdb-undo.ts'

/** Where the readings lie, and what DuckDB may use. */
export interface FileOptions {
  readonly folder: string
  readonly memoryLimitMb: number
  readonly threads: number
}

export interface DatabaseFile {
  readonly instance: DuckDBInstance
  /** The files as they are now. They stay so as long as nobody commits or moves the log; a commit only lengthens the log. */
  frozen(): readonly FrozenFile[]
  /** Size of the file and its write-ahead log. */
  bytes(): { readonly data: number; readonly wal: number }
  /** Moves the log into the file, so that a kill at any moment loses nothing. Nobody may commit meanwhile. */
  checkpoint(session: Session): Promise<void>
  close(): Promise<void>
}

const fileName = 'readings.duckdb'

/** DuckDB's file lock is the process's own: it does not see a second opening by the same process, so this does. */
const openHere = new Set<string>()

/**
 * Opens `folder/readings.duckdb`, which is created with its tables where nothing is there yet.
 * Throws HomeostatError `data_locked` when another process (or this one) holds it, and an error that names the file
 * when it is damaged or its log lies there without it: an empty store never takes the place of a lost one.
 */
export async function openDatabase(options: FileOptions): Promise<DatabaseFile> {
  await mkdir(options.folder, { recursive: true })
  const folder = realpathSync(options.folder)
  const path = join(folder, fileName)
  if (openHere.has(path)) throw locked(folder, process.pid)
  openHere.add(path)
  let handle: FileHandle | undefined
  try {
    if (!existsSync(path)) await create(folder, path, options)
    if (statSync(path).size === 0) throw new Error('the file is empty')
    if (existsSync(undoOf(path))) await takeBackAlone(path)
    const file = await openFile(path)
    handle = file
    const instance = await duckdb.DuckDBInstance.create(path, config(folder, options))
    await prepare(instance, path)
    return {
      instance,
      frozen: () => frozenFiles(path, file),
      bytes: () => ({ data: sizeOf(path), wal: sizeOf(walOf(path)) }),
      async checkpoint(session) {
        if (sizeOf(walOf(path)) === 0) return
        await requireRoom(folder, sizeOf(walOf(path)))
        await checkpointWithUndo(session, { path, file })
      },
      async close() {
        instance.closeSync()
        // not before: it would give up DuckDB's lock
        await file.close()
        openHere.delete(path)
      },
    }
  } catch (error) {
    await handle?.close()
    openHere.delete(path)
    throw explained(error, folder, path)
  }
}

/** The main file is read by the handle that is open anyway: to close another one would give up DuckDB's lock. */
function frozenFiles(path: string, file: FileHandle): readonly FrozenFile[] {
  const bytes = sizeOf(path)
  const main: FrozenFile = {
    ...{ name: basename(path), bytes },
    read: () => readPieces((...place) => file.read(...place), bytes),
  }
  // the undo is there where the last checkpoint failed
  const others = [walOf(path), undoOf(path)].filter((other) => sizeOf(other) > 0)
  return [main, ...others.map((other) => frozenFile(other, sizeOf(other)))]
}

const frozenFile = (path: string, bytes: number): FrozenFile => ({
  ...{ name: basename(path), bytes },
  async *read() {
    const handle = await openFile(path)
    try {
      yield* readPieces((...place) => handle.read(...place), bytes)
    } finally {
      await handle.close()
    }
  },
})

/** The undo of another process that lives is its own: whoever cannot have the file is told so. */
async function takeBackAlone(path: string): Promise<void> {
  try {
    const instance = await duckdb.DuckDBInstance.create(path, { access_mode: 'READ_ONLY' })
    instance.closeSync()
  } catch (error) {
    // a file that cannot be read is what the undo may repair
    if (isLocked(error)) throw error
  }
  await takeBack(path)
}

/** Disables DuckDB's own checkpoint at the last close, which would be unguarded, and upgrades the tables. */
async function prepare(instance: DuckDBInstance, path: string): Promise<void> {
  const connection = await instance.connect()
  try {
    await connection.run('PRAGMA disable_checkpoint_on_shutdown')
    await refuseForeign(connection, path)
    await upgradeTables(connection)
  } finally {
    connection.closeSync()
  }
}

async function refuseForeign(connection: DuckDBConnection, path: string): Promise<void> {
  if (await hasTable(connection, 'upkeep')) return
  const detail = 'it is a database of another program and was left as it is; choose another data folder'
  throw new HomeostatError('file_unreadable', { file: path, detail })
}

/** Made under another name and moved when complete: a file that has the name and no content was damaged, not begun. */
async function create(folder: string, path: string, options: FileOptions): Promise<void> {
  const rest = [walOf(path), undoOf(path)].find((file) => existsSync(file))
  if (rest !== undefined) throw new Error(`there is ${rest}, and not the file it belongs to`)
  const draft = `${path}.new`
  await rm(draft, { force: true })
  await rm(walOf(draft), { force: true })
  const instance = await duckdb.DuckDBInstance.create(draft, config(folder, options))
  try {
    const connection = await instance.connect()
    await createTables(connection)
    await connection.run('CHECKPOINT')
    connection.closeSync()
  } finally {
    instance.closeSync()
  }
  await rename(draft, path)
  await fsyncFolder(folder)
}

/** No extension is ever fetched, and SQL reaches no file but this one. Checkpoints are ours to time. */
const config = (folder: string, { memoryLimitMb, threads }: FileOptions): Record<string, string> => ({
  memory_limit: `${memoryLimitMb}MB`,
  threads: String(threads),
  temp_directory: join(folder, 'readings.tmp'),
  wal_autocheckpoint: '1TB',
  preserve_insertion_order: 'false',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  enable_external_access: 'false',
})

/** A checkpoint that meets the end of the disk invalidates the instance; one that is not begun costs nothing. */
async function requireRoom(folder: string, walBytes: number): Promise<void> {
  const needed = walBytes + spareBytes
  const free = await freeBytes(folder)
  if (free < needed) throw new DiskFull(folder, free, `the log needs ${needed} to be merged`)
}

/** For blocks that are copied, and copied again, by a checkpoint. */
const spareBytes = 2 << 20

const walOf = (path: string): string => `${path}.wal`

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** What else can be done about a damaged file. */
export const rebuildHint =
  ', or move readings.duckdb and the files beside it away and start again: the hub then rebuilds the readings as far as its journal reaches'

function explained(error: unknown, folder: string, path: string): unknown {
  if (error instanceof HomeostatError || !(error instanceof Error)) return error
  if (isLocked(error)) {
    const holder = /lock on file.*\(PID (\d+)\)/s.exec(error.message)?.[1]
    return locked(folder, holder ?? 'unknown', error)
  }
  // the system's own reasons, such as no room or no right to write, are told by others
  const isOfSystem =
    'code' in error || /permission denied|read-only|no space|input\/output/i.test(error.message)
  if (isOfSystem)
    return error.message.includes(path) ? error : new Error(`${path}: ${error.message}`, { cause: error })
  // the first line: what follows is a stack of the engine
  const detail = (error.message.split('\n')[0] ?? '').replaceAll(`"${path}"`, 'it').replace(/[.: ]+$/, '')
  return new HomeostatError('data_damaged', { file: path, detail, otherwise: rebuildHint }, error)
}

const isLocked = (error: unknown): boolean => error instanceof Error && /lock on file/.test(error.message)

const locked = (folder: string, pid: number | string, cause?: unknown): HomeostatError =>
  new HomeostatError('data_locked', { folder, pid }, cause)
