import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open, rename, rm, statfs } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join, relative } from 'node:path'
import type { Disk } from '../core/disk.ts'
import { HomeostatError } from '../core/errors.ts'

/** The disk that holds a folder. */
export function createDisk(folder: string): Disk {
  return {
    async usage() {
      const { blocks, bfree, bavail, bsize } = await statfs(folder)
      const used = blocks - bfree
      return { usedShare: used / Math.max(1, used + bavail), freeBytes: bavail * bsize }
    },
  }
}

/** What a start writes before the first reading: the claim, the logs of the stores, the schedule. */
const startBytes = 1 << 20
const reserveName = 'reserve'

/**
 * A start on a full disk gets the room of the file `reserve`: a hub that was started again because its disk was full
 * must not be the one that raises no alarm. Nothing happens where there is room, or no such file.
 */
export async function releaseReserve(folder: string): Promise<void> {
  const free = await freeBytes(folder)
  if (free !== undefined && free < startBytes) await rm(join(folder, reserveName), { force: true })
}

/** Makes that file where it is missing and the disk has plenty of room. */
export async function keepReserve(folder: string): Promise<void> {
  const file = join(folder, reserveName)
  if (existsSync(file) || ((await freeBytes(folder)) ?? 0) < 8 * startBytes) return
  const draft = `${file}.tmp`
  const handle = await open(draft, 'w', 0o600)
  try {
    // a file system that compresses would keep no room for zeros
    await handle.writeFile(randomBytes(startBytes))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}

/** With less than this even the smallest file may fail, with an error that does not name the reason. */
const nothingBytes = 64 * 1024

/**
 * What a start failed with, as the user should read it: where the disk of the data folder is the reason, `disk_full` or
 * `data_unwritable`, which say what to do. Every other error comes back as it is.
 */
export async function explainStart(error: unknown, folder: string): Promise<unknown> {
  if (isElsewhere(error, folder)) return error
  const reasons = reasonsOf(error)
  const has = (pattern: RegExp): boolean => reasons.some((reason) => pattern.test(reason))
  const free = await freeBytes(folder)
  const isUnclear = !(error instanceof HomeostatError) || has(/^SQLITE_(IOERR|CANTOPEN)/)
  const isFull = has(/ENOSPC|EDQUOT|SQLITE_FULL|no space left|disk is full/i)
  if (isFull || (isUnclear && free !== undefined && free < nothingBytes)) {
    const detail = reasons.at(-1)!.trim()
    return new HomeostatError('disk_full', { folder, free: free ?? 'unknown', detail }, error)
  }
  const detail = unwritable(has, folder)
  return detail === undefined ? error : new HomeostatError('data_unwritable', { folder, detail }, error)
}

function unwritable(has: (pattern: RegExp) => boolean, folder: string): string | undefined {
  if (has(/EROFS|SQLITE_READONLY|read-only file system/i))
    return 'its disk is mounted read-only; mount it for writing, or choose another folder with --data'
  if (has(/EACCES|EPERM|permission denied/i)) {
    const user = userName()
    return `the user ${user} may not write there; give the folder to that user (chown -R ${user} ${folder}), or choose another with --data`
  }
  if (has(/ENOTDIR|EEXIST/)) return 'it is a file, or lies below one; choose a folder with --data'
  return undefined
}

/** The error names a file outside of the folder, such as one of a store of models with a folder of its own. */
function isElsewhere(error: unknown, folder: string): boolean {
  if (!(error instanceof Error)) return false
  if (!('path' in error)) return isElsewhere(error.cause, folder)
  return relative(folder, String(error.path)).startsWith('..')
}

/** Code and message of an error and of what caused it, the cause last. */
function reasonsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const code = 'code' in error ? String(error.code) : ''
  const text = error.message.startsWith(code) ? error.message : `${code} ${error.message}`
  return [text, ...(error.cause === undefined ? [] : reasonsOf(error.cause))]
}

const freeBytes = (folder: string): Promise<number | undefined> =>
  createDisk(folder)
    .usage()
    .then(
      (usage) => usage.freeBytes,
      () => undefined,
    )

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'that runs the hub')
  }
}
