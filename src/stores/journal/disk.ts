import { close, closeSync, fdatasync, openSync, write, writeSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { fsyncFolder } from '../fsync-folder.ts'
import { freeBytes } from '../room.ts'

/** The few operations of the disk that a journal needs: handed in, so that a test can fail each one. Paths are absolute. */
export interface JournalDisk {
  /** A new file of zeros, durable when it resolves; what had the name is replaced. A failure leaves nothing behind. */
  allocate(path: string, bytes: number): Promise<void>
  /** Bytes of the disk of a folder that are free for this process. */
  freeBytes(folder: string): Promise<number>
  /** A file that is there, for writing. */
  open(path: string): JournalFile
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** With its parents; nothing happens where it is there already. */
  mkdir(path: string): Promise<void>
  /** Makes the names in the folder durable. */
  fsyncFolder(path: string): Promise<void>
  readdir(path: string): Promise<readonly string[]>
  /** All of a file, or its first `length` bytes. */
  readFile(path: string, length?: number): Promise<Buffer>
  /** Length of a file in bytes. */
  size(path: string): Promise<number>
}

export interface JournalFile {
  /** Writes all of it, into memory of the machine. Blocks: it waits for no disk. */
  write(bytes: Uint8Array, offset: number): void
  /** Makes what was written durable, off the loop. */
  datasync(): Promise<void>
  close(): void
}

/** Zeros are written in pieces of so many bytes, so that other work has its turn with the disk. */
const zeros = Buffer.alloc(1 << 18)

const datasync = promisify(fdatasync)
const writeAt = promisify(write)
const closed = promisify(close)

/** This machine's disk. Files and folders are for this user only. */
export const machineDisk: JournalDisk = {
  async allocate(path, bytes) {
    const fd = openSync(path, 'w', 0o600)
    try {
      for (let offset = 0; offset < bytes; ) {
        const count = Math.min(zeros.length, bytes - offset)
        const { bytesWritten } = await writeAt(fd, zeros, 0, count, offset)
        offset += bytesWritten
      }
      await datasync(fd)
    } catch (error) {
      // what was written of it would take the last room from others
      await rm(path, { force: true }).catch(() => undefined)
      throw error
    } finally {
      await closed(fd)
    }
  },
  freeBytes,
  open(path) {
    const fd = openSync(path, 'r+')
    return {
      write(bytes, offset) {
        let written = 0
        while (written < bytes.length)
          written += writeSync(fd, bytes, written, bytes.length - written, offset + written)
      },
      datasync: () => datasync(fd),
      close: () => closeSync(fd),
    }
  },
  rename,
  unlink,
  async mkdir(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  fsyncFolder,
  readdir: (path) => readdir(path),
  async readFile(path, length) {
    if (length === undefined) return readFile(path)
    const handle = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  },
  async size(path) {
    return (await stat(path)).size
  },
}
