import { closeSync, existsSync, fstatSync, openSync, read, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import type Libsql from 'libsql'
import { HomeostatError } from '../../core/errors.ts'
import { type FrozenFile, type FrozenFiles, readPieces } from '../../core/frozen.ts'
import { findDamage, type PageSums, readHead, readLog, readSums, sumsOf, writeSums } from './sqlite-sums.ts'

/** The log is moved into the file beyond this. */
const logBytesMax = 4 << 20

/** Runs a statement without rows in another thread. */
type InThread = (connection: Libsql.Database, text: string) => Promise<unknown>

/**
 * The main file of the ledger, which changes in checkpoints only, so that its pages can have checksums and a backup can
 * copy it while the ledger is written. Its handle stays open as long as SQLite has the file: to close any handle of it
 * gives up this process's lock on it (fcntl(2)).
 */
export class LedgerFile {
  readonly #path: string
  #fd: number | undefined
  /** As on disk; undefined where all pages must be read to make them. */
  #sums: PageSums | undefined
  #isFrozen = false

  constructor(path: string) {
    this.#path = path
  }

  /** Call before SQLite opens the file. */
  hold(): void {
    if (existsSync(this.#path)) this.#open()
  }

  /** Call before anything is written. Throws `data_damaged` where a page is not what was written. */
  verify(): void {
    const fd = this.#open()
    const sums = readSums(this.#sumsPath)
    const head = readHead(fd)
    if (!sums || !head || head.pageBytes !== sums.pageBytes) return
    const { pages } = readLog(this.#logPath)
    // another program has moved the log into the file: these sums are of an earlier state
    if (pages.size === 0 && head.change !== sums.change) return
    const page = findDamage(fd, sums, pages)
    if (page !== undefined)
      throw new HomeostatError('data_damaged', {
        file: this.#path,
        detail: `page ${page + 1} is not what was written there`,
        otherwise: `, or delete ${basename(this.#sumsPath)} if you changed the file yourself`,
      })
    this.#sums = sums
  }

  /** Moves the log into the file, at a moment without a transaction. Nothing happens while the files are frozen. */
  checkpoint(connection: Libsql.Database): void {
    if (this.#isFrozen) return
    if (!isMoved(connection)) return
    this.#renewSums()
    connection.prepare('pragma wal_checkpoint(TRUNCATE)').all()
  }

  /** The same; the loop goes on while the disk is waited for. */
  async checkpointInThread(connection: Libsql.Database, inThread: InThread): Promise<void> {
    if (this.#isFrozen) return
    await inThread(connection, 'pragma wal_checkpoint(PASSIVE)')
    if (!isMoved(connection)) return
    this.#renewSums()
    await inThread(connection, 'pragma wal_checkpoint(TRUNCATE)')
  }

  get isLogLong(): boolean {
    return (statSync(this.#logPath, { throwIfNoEntry: false })?.size ?? 0) > logBytesMax
  }

  /** At a moment without a transaction. Until the files are released the log grows. */
  freeze(): FrozenFiles {
    if (this.#isFrozen)
      throw new HomeostatError('not_acceptable_state', { detail: 'A backup is being made already' })
    this.#isFrozen = true
    const files = [this.#frozenMain(), this.#frozenLog()]
    return {
      files: files.filter(({ bytes }) => bytes > 0),
      release: () => {
        this.#isFrozen = false
      },
    }
  }

  /** Call after SQLite has closed the file. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** The pages of the log are on disk in the main file, and still in the log. */
  #renewSums(): void {
    const fd = this.#open()
    const head = readHead(fd)
    if (!head) return
    const pages = Math.floor(fstatSync(fd).size / head.pageBytes)
    const known = this.#sums?.pageBytes === head.pageBytes ? this.#sums.sums : undefined
    const sums = { ...head, sums: sumsOf(fd, { ...head, pages }, known, readLog(this.#logPath).pages) }
    writeSums(this.#sumsPath, sums)
    this.#sums = sums
  }

  #frozenMain(): FrozenFile {
    const fd = this.#open()
    const { size } = fstatSync(fd)
    return {
      name: basename(this.#path),
      bytes: size,
      read: () => readPieces((...place) => readAt(fd, ...place), size),
    }
  }

  #frozenLog(): FrozenFile {
    const path = this.#logPath
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    const { header } = readLog(path)
    return {
      name: basename(path),
      bytes,
      async *read() {
        const handle = await open(path)
        try {
          yield* readPieces((...place) => handle.read(...place), bytes)
        } finally {
          await handle.close()
        }
        if (!readLog(path).header.equals(header))
          throw new Error('another program has changed the ledger meanwhile')
      },
    }
  }

  #open(): number {
    this.#fd ??= openSync(this.#path, 'r')
    return this.#fd
  }

  get #logPath(): string {
    return `${this.#path}-wal`
  }

  get #sumsPath(): string {
    return `${this.#path}-sums`
  }
}

const readAt = promisify(read)

/** Moves what can be moved; whether the file now has all of the log. */
function isMoved(connection: Libsql.Database): boolean {
  const [row] = connection.prepare('pragma wal_checkpoint(PASSIVE)').all() as readonly {
    readonly busy: number
    readonly log: number
    readonly checkpointed: number
  }[]
  return row?.busy === 0 && row.log === row.checkpointed
}
