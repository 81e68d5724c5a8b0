import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, type Pack, pack } from 'tar-stream'
import { HomeostatError } from '../core/errors.ts'
import type { FrozenStores } from '../core/frozen.ts'

/** A backup is a tar file, compressed with gzip: `homeostat/` with the files of a data folder, then the manifest. */
export interface Manifest {
  readonly format: 1
  /** Version of the program that made it. */
  readonly version: string
  /** UTC ms. */
  readonly createdAt: number
  /** Of the last turn that the stores in it have. */
  readonly position: number
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
}

export interface BackupParts {
  readonly stores: FrozenStores
  readonly version: string
  /** UTC ms. */
  readonly createdAt: number
  /** Further files and folders, by their names in the backup. What is missing is left out. */
  readonly others: Readonly<Record<string, string>>
  /** The stores are released after so many ms, and the backup fails. */
  readonly msMax: number
}

const prefix = 'homeostat/'
const manifestName = 'manifest.json'

/** Packs a backup while it is read; releases the stores when their files are in it, and in any case at its end. */
export function packBackup(parts: BackupParts): Readable {
  const archive = pack()
  const gzip = createGzip({ level: 1 })
  const fail = (error: unknown): void => void gzip.destroy(failed(error))
  const late = `it took longer than ${parts.msMax / 1000} s (backup.secondsMax)`
  const limit = setTimeout(() => fail(late), parts.msMax)
  gzip.once('close', () => {
    clearTimeout(limit)
    parts.stores.release()
  })
  // an error destroys `gzip`, whose reader is told
  pipeline(() => packed(archive), gzip).catch(() => undefined)
  fill(archive, parts).then(() => archive.finalize(), fail)
  return gzip
}

async function* packed(archive: Pack): AsyncGenerator<unknown> {
  try {
    yield* archive
  } catch (error) {
    throw failed(error)
  }
}

const failed = (error: unknown): HomeostatError =>
  new HomeostatError(
    'backup_failed',
    { detail: error instanceof Error ? error.message : String(error) },
    error,
  )

async function fill(archive: Pack, { stores, version, createdAt, others }: BackupParts): Promise<void> {
  const files: Manifest['files'][number][] = []
  const add = async (name: string, bytes: number, pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    files.push(await addEntry(archive, name, bytes, pieces))
  }
  for (const { name, bytes, read } of stores.files) await add(name, bytes, read())
  stores.release()
  for (const [name, path] of Object.entries(others)) {
    for await (const file of filesBelow(path)) {
      const content = await readFile(file).catch(() => undefined)
      // a version that was removed meanwhile is in no list any more
      if (content) await add(join(name, relative(path, file)), content.length, once(content))
    }
  }
  const manifest: Manifest = { format: 1, version, createdAt, position: stores.position, files }
  const text = Buffer.from(JSON.stringify(manifest))
  await addEntry(archive, manifestName, text.length, once(text))
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content
}

async function addEntry(
  archive: Pack,
  name: string,
  bytes: number,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Manifest['files'][number]> {
  const hash = createHash('sha256')
  const entry = archive.entry({ name: prefix + name, size: bytes, mode: 0o600 })
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      hash.update(piece)
      yield piece
    }
  }
  await pipeline(hashed, entry)
  return { name, bytes, sha256: hash.digest('hex') }
}

/** The file itself, or all files below the folder; nothing where there is none. */
async function* filesBelow(path: string): AsyncGenerator<string> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch((error: unknown) =>
    isCode(error, 'ENOTDIR') ? undefined : [],
  )
  if (!entries) yield path
  else for (const entry of entries) if (entry.isFile()) yield join(entry.parentPath, entry.name)
}

/**
 * Writes a backup to a file that has its name only when it is whole, checked and on disk; an older one is replaced then.
 * Rejects with what the stream rejects with, and leaves nothing behind. `onBytes`: how much is written.
 */
export async function saveBackup(
  stream: Readable,
  file: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Manifest> {
  const partial = `${file}${partialEnd}`
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  let written = 0
  try {
    await pipeline(
      stream,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const piece of source) {
          written += piece.length
          onBytes(written)
          yield piece
        }
      },
      createWriteStream(partial, { mode: 0o600, flush: true }),
    )
    const manifest = await readBackup(partial)
    await rename(partial, file)
    await syncFolder(dirname(file))
    return manifest
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

export const partialEnd = '.partial'

/**
 * Reads a backup and compares all of it with its manifest. With `into` its files are written there, each on disk when it
 * resolves. Rejects with `backup_invalid` where something of it is missing, changed or unknown.
 */
export async function readBackup(file: string, into?: string): Promise<Manifest> {
  const found = new Map<string, Omit<Manifest['files'][number], 'name'>>()
  let manifest: Manifest | undefined
  const entries = extract()
  const reading = pipeline(createReadStream(file), createGunzip(), entries)
  // it is awaited below; a failure before that is the same one as of the loop
  reading.catch(() => undefined)
  try {
    for await (const entry of entries) {
      const name = nameOf(entry.header.name)
      if (name === manifestName) {
        manifest = JSON.parse(await textOf(entry as AsyncIterable<Buffer>))
        continue
      }
      const hash = createHash('sha256')
      let bytes = 0
      const target = into === undefined ? nowhere() : await fileIn(into, name)
      const hashed = async function* (): AsyncGenerator<Buffer> {
        for await (const piece of entry as AsyncIterable<Buffer>) {
          hash.update(piece)
          bytes += piece.length
          yield piece
        }
      }
      await pipeline(hashed, target)
      found.set(name, { bytes, sha256: hash.digest('hex') })
    }
    await reading
  } catch (error) {
    if (error instanceof HomeostatError) throw error
    if (isCode(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOSPC', 'EROFS')) throw unreadable(file, error)
    throw invalid(file, error instanceof Error ? error.message : String(error), error)
  }
  return requireWhole(file, manifest, found)
}

async function textOf(entry: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of entry) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

function requireWhole(
  file: string,
  manifest: Manifest | undefined,
  found: ReadonlyMap<string, Omit<Manifest['files'][number], 'name'>>,
): Manifest {
  if (!manifest) throw invalid(file, 'its end is missing')
  if (manifest.format !== 1) throw invalid(file, `a newer Homeostat wrote it (format ${manifest.format})`)
  for (const { name, sha256 } of manifest.files) {
    if (found.get(name)?.sha256 !== sha256) throw invalid(file, `${name} is missing or was changed`)
  }
  if (found.size !== manifest.files.length)
    throw invalid(file, 'it holds files that its manifest does not name')
  return manifest
}

/** Throws for a name that would leave the folder. */
function nameOf(path: string): string {
  const name = path.slice(prefix.length)
  const isSafe = /^[\w.~#-]+(\/[\w.~#-]+)*$/.test(name) && !name.split('/').some((part) => /^\.+$/.test(part))
  if (!path.startsWith(prefix) || !isSafe) throw new Error(`it holds the file ${JSON.stringify(path)}`)
  return name
}

async function fileIn(folder: string, name: string): Promise<Writable> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return createWriteStream(path, { mode: 0o600, flush: true })
}

const nowhere = (): Writable => new Writable({ write: (_piece, _encoding, done) => done() })

/** Makes the names in the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

const invalid = (file: string, detail: string, cause?: unknown): HomeostatError =>
  new HomeostatError('backup_invalid', { file, detail }, cause)

const unreadable = (file: string, error: unknown): HomeostatError =>
  new HomeostatError('file_unreadable', { file, detail: (error as Error).message }, error)

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))
