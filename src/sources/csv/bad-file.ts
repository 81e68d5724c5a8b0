import { constants } from 'node:fs'
import { access, type FileHandle, open, rm } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { HomeostatError } from '../../core/errors.ts'
import type { BadRow } from '../csv.ts'

/** A CSV file of the rows that were not taken. It is not made before there is one. */
export interface BadFile {
  readonly path: string
  /** Appends in order; the rows are handed to the system when it resolves. */
  add(rows: readonly BadRow[]): Promise<void>
  /** Bytes so far; all of them are on disk when it resolves. */
  sync(): Promise<number>
  close(): Promise<void>
}

const header = 'line,code,message,row\n'

/** Goes on behind the first `keepBytes` of a file that an earlier run left; 0 starts anew. */
export function badFile(path: string, keepBytes: number): BadFile {
  let handle: FileHandle | undefined
  let written = keepBytes
  const ready = async (): Promise<FileHandle> => {
    if (handle) return handle
    handle = await open(path, constants.O_RDWR | constants.O_CREAT)
    const { size } = await handle.stat()
    if (size < written) written = 0
    await handle.truncate(written)
    if (written === 0) await append(handle, header)
    return handle
  }
  const append = async (file: FileHandle, text: string): Promise<void> => {
    const bytes = Buffer.from(text)
    await file.write(bytes, 0, bytes.length, written)
    written += bytes.length
  }
  return {
    path,
    async add(rows) {
      const lines = rows.map((row) => `${row.line},${row.code},${quote(row.message)},${quote(row.text)}\n`)
      await append(await ready(), lines.join(''))
    },
    async sync() {
      await handle?.sync()
      return written
    },
    async close() {
      await handle?.close()
      handle = undefined
    },
  }
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`

/** Clears what an earlier import left at `path`. Rejects with `file_unreadable` if something else lies there. */
export async function clearBadFile(path: string): Promise<void> {
  let found: string
  try {
    const handle = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(header.length), 0, header.length, 0)
      found = buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  if (found !== '' && found !== header) {
    const detail = 'this file is there already and holds no bad rows; name another by --bad'
    throw new HomeostatError('file_unreadable', { file: path, detail })
  }
  await rm(path)
}

/** Beside the file, or in the working folder where that cannot be written to. */
export async function badPathFor(file: string): Promise<string> {
  try {
    await access(dirname(resolve(file)), constants.W_OK)
    return `${file}.bad.csv`
  } catch {
    return `${basename(file)}.bad.csv`
  }
}
