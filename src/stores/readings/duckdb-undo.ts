import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fsyncFolder } from '../fsync-folder.ts'
import type { Session } from './duckdb-session.ts'

/**
 * DuckDB's checkpoint writes new data beside the old and then turns one of two headers, but rewrites the blocks of
 * its metadata in place, which the old header still needs (DuckDB 1.5: of 60 checkpoints 59 did). Where the process is
 * killed within such a write of 256 KB, the file is lost: "Corrupt database file", with everything in it.
 *
 * So those blocks are copied to `<file>.undo` first. The next opening puts them back where the header did not turn: the
 * file is then what it was before the checkpoint, and the log, which only a turned header makes worthless, is played
 * again. Nothing else may be written meanwhile.
 *
 * Layout of the file (DuckDB's storage format): three headers of 4096 bytes, of which the second and third take turns,
 * then blocks.
 */
const headerBytes = 4096
const blocksAt = 3 * headerBytes

/** The undo file: a line with the SHA-256 of the rest, a line with this as JSON, both headers, the blocks. */
interface Saved {
  readonly blockBytes: number
  readonly blocks: readonly number[]
}

export const undoOf = (path: string): string => `${path}.undo`

/**
 * Runs the checkpoint of the database at `path` with what it may destroy kept. `file` is open for reading. It must stay
 * open as long as DuckDB has the file: to close any handle of it gives up this process's lock on it (fcntl(2)).
 */
export async function checkpointWithUndo(
  session: Session,
  { path, file }: { readonly path: string; readonly file: FileHandle },
): Promise<void> {
  const undo = undoOf(path)
  await save(session, undo, file)
  // where it fails the copy stays: it is what the header refers to until the next one is made
  await session.checkpoint()
  await rm(undo, { force: true })
}

async function save(session: Session, undo: string, file: FileHandle): Promise<void> {
  const [[blockBytes]] = (await session.numbers('SELECT block_size::DOUBLE FROM pragma_database_size()')) as [
    [number],
  ]
  const [ids] = (await session.numbers(
    'SELECT DISTINCT block_id::DOUBLE AS id FROM pragma_metadata_info() ORDER BY id',
  )) as [number[]]
  const { size } = await file.stat()
  // a block that does not lie on disk yet belongs to no header
  const blocks = ids.filter((id) => placeOf(id, blockBytes) + blockBytes <= size)
  const saved: Saved = { blockBytes, blocks }
  const parts = [Buffer.from(`${JSON.stringify(saved)}\n`), await read(file, headerBytes, 2 * headerBytes)]
  for (const id of blocks) parts.push(await read(file, placeOf(id, blockBytes), blockBytes))
  const hash = parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest('hex')
  const draft = `${undo}.new`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(Buffer.concat([Buffer.from(`${hash}\n`), ...parts]))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, undo)
  await fsyncFolder(dirname(undo))
}

/** Takes back a checkpoint that was cut short. The caller makes sure that nobody has the database open. */
export async function takeBack(path: string): Promise<void> {
  const undo = undoOf(path)
  const { saved, content } = await load(undo)
  const file = await open(path, 'r+')
  try {
    const header = await read(file, headerBytes, 2 * headerBytes)
    // where one of the headers was turned, all that it refers to had been written
    if (header.equals(content.subarray(0, header.length))) {
      await putBack(file, saved, content.subarray(header.length))
      await file.sync()
    }
  } finally {
    await file.close()
  }
  await rm(undo)
}

async function load(undo: string): Promise<{ readonly saved: Saved; readonly content: Buffer }> {
  const whole = await readFile(undo)
  const end = whole.indexOf('\n')
  const rest = whole.subarray(end + 1)
  // it has its name only since it is whole and on disk, so what is wrong with it came later
  if (createHash('sha256').update(rest).digest('hex') !== whole.subarray(0, end).toString())
    throw new Error(`${undo} is damaged; move it away to open the readings as they lie there without it`)
  const head = rest.indexOf('\n')
  return { saved: JSON.parse(rest.subarray(0, head).toString()), content: rest.subarray(head + 1) }
}

async function putBack(file: FileHandle, { blocks, blockBytes }: Saved, content: Buffer): Promise<void> {
  for (const [index, id] of blocks.entries()) {
    const block = content.subarray(index * blockBytes, (index + 1) * blockBytes)
    const { bytesWritten } = await file.write(block, 0, blockBytes, placeOf(id, blockBytes))
    if (bytesWritten !== blockBytes) throw new Error(`block ${id} could not be put back`)
  }
}

const placeOf = (block: number, blockBytes: number): number => blocksAt + block * blockBytes

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead !== length) throw new Error(`${bytesRead} of ${length} bytes at ${position} could be read`)
  return buffer
}
