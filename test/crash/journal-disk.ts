import { randomInt } from 'node:crypto'
import type { JournalDisk } from '../../src/stores/journal/disk.ts'

interface File {
  bytes: Buffer
  /** What a power cut leaves. */
  durable: Buffer
}

type Names = Map<string, File>

/** In pages of so many bytes a disk keeps what was written and not synced, or loses it. */
const pageBytes = 512

/**
 * A disk for journals of the worst kind that POSIX allows: of what was written after the last sync of a file, a power cut
 * leaves any pages; a name survives only from the last sync of its folder. Before the operation `failAt` (counted from 1)
 * it throws, that one and all that follow: the process has ended. A write that fails may be done in part.
 */
export class FragileJournalDisk implements JournalDisk {
  #names: Names = new Map()
  #durable: Names = new Map()
  /** Picks a whole number below its argument: what becomes of a page. */
  readonly #pick: (below: number) => number
  done = 0
  free = Number.POSITIVE_INFINITY
  failAt = Number.POSITIVE_INFINITY
  /** Fails once and goes on. */
  once = false
  /** Operations that fail, whatever their number. */
  failing: ((what: string) => boolean) | undefined

  constructor(pick: (below: number) => number = (below) => randomInt(below)) {
    this.#pick = pick
  }

  /** The power comes back. */
  powerCut(): void {
    this.#names = new Map(this.#durable)
    for (const file of this.#names.values()) {
      const bytes = Buffer.from(file.durable)
      for (let at = 0; at < file.bytes.length; at += pageBytes) {
        const end = Math.min(at + pageBytes, file.bytes.length, bytes.length)
        if (end > at && this.#pick(2) === 1) file.bytes.copy(bytes, at, at, end)
      }
      file.bytes = bytes
      file.durable = Buffer.from(bytes)
    }
    this.revive()
  }

  /** The process starts again, the machine went on. */
  revive(): void {
    this.failAt = Number.POSITIVE_INFINITY
    this.done = 0
  }

  /** For damage. */
  contentOf(path: string): Buffer {
    return this.#file(path).bytes
  }

  async allocate(path: string, bytes: number): Promise<void> {
    const file = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) }
    this.#step('create', () => this.#names.set(path, file))
    this.#step('allocate', () => {
      file.bytes = Buffer.alloc(bytes)
    })
    this.#step('sync', () => {
      file.durable = Buffer.from(file.bytes)
    })
  }

  async freeBytes(): Promise<number> {
    return this.free
  }

  open(path: string) {
    const file = this.#file(path)
    return {
      write: (bytes: Uint8Array, offset: number): void => {
        const part = this.#pick(bytes.length + 1)
        this.#step(
          'write',
          () => file.bytes.set(bytes, offset),
          () => file.bytes.set(bytes.subarray(0, part), offset),
        )
      },
      datasync: async (): Promise<void> => {
        const now = Buffer.from(file.bytes)
        await Promise.resolve()
        this.#step('sync', () => {
          file.durable = now
        })
      },
      close: (): void => undefined,
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', () => {
      const file = this.#file(from)
      this.#names.delete(from)
      this.#names.set(to, file)
    })
  }

  async unlink(path: string): Promise<void> {
    this.#step('unlink', () => this.#names.delete(path))
  }

  async mkdir(): Promise<void> {}

  async fsyncFolder(): Promise<void> {
    this.#step('sync folder', () => {
      this.#durable = new Map(this.#names)
    })
  }

  async readdir(folder: string): Promise<string[]> {
    return [...this.#names.keys()].map((path) => path.slice(folder.length + 1))
  }

  async readFile(path: string, length?: number): Promise<Buffer> {
    return Buffer.from(this.#file(path).bytes.subarray(0, length))
  }

  async size(path: string): Promise<number> {
    return this.#file(path).bytes.length
  }

  #step(what: string, work: () => void, fail?: () => void): void {
    this.done++
    const ends = this.once ? this.done === this.failAt : this.done >= this.failAt
    if (!ends && !this.failing?.(what)) {
      work()
      return
    }
    if (this.done === this.failAt || this.failing) fail?.()
    throw Object.assign(new Error(`EIO: ${what}`), { code: 'EIO' })
  }

  #file(path: string): File {
    const file = this.#names.get(path)
    if (!file) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return file
  }
}
