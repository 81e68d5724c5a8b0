import { basename, join } from 'node:path'
import { HomeostatError } from '../../core/errors.ts'
import type { Journal, JournalEntry, JournalFrame, JournalSpan, Written } from '../../core/journal.ts'
import { DiskFull } from '../room.ts'
import { type JournalDisk, type JournalFile, machineDisk } from './disk.ts'
import { FrameEncoder } from './frame.ts'
import {
  decodedFrames,
  decodeHeader,
  encodeHeader,
  endOf,
  type SegmentHeader,
  segmentHeaderBytes,
} from './segment.ts'

export interface FileJournalOptions {
  /** Holds the segments; made where it is missing. One process at a time. */
  readonly folder: string
  /** Length of a segment, bytes; a frame that is longer gets one of its own. Default 4 MB. */
  readonly segmentBytes?: number
  readonly disk?: JournalDisk
}

/** A segment of the journal, oldest first in `#segments`. */
interface Segment extends SegmentHeader {
  readonly path: string
  readonly bytes: number
}

/** The one that is written to. */
interface Open {
  readonly segment: Segment
  readonly file: JournalFile
  /** Where the next frame goes. */
  offset: number
}

interface Waiter {
  readonly position: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * A journal in files of equal length, written to their end with zeros before they are used: then a frame changes no
 * metadata, and fdatasync waits for one write only. Segments that are released are used again.
 *
 * A segment is begun only where the disk also has room for what the stores will make of its frames. So the journal is the
 * first that stops on a disk that fills up: what was acknowledged can be read, and what people change is still stored.
 */
export function createFileJournal(options: FileJournalOptions): Journal {
  return new FileJournal(options)
}

/** A journal of which nothing changes, not even what a crash left at its end. No process may write to it meanwhile. */
export interface JournalReader extends Pick<Journal, 'read'> {
  readonly span: JournalSpan
  /** When the newest frame was appended, UTC ms; 0 without frames. */
  readonly lastAt: number
}

/**
 * Opens the journal in a folder for reading only. Rejects with `not_found` where there is none, and with
 * `journal_damaged` as `open` of a journal does.
 */
export async function readFileJournal({
  folder,
  disk = machineDisk,
}: Pick<FileJournalOptions, 'folder' | 'disk'>): Promise<JournalReader> {
  const segments = await segmentsIn(folder, disk).catch((error: unknown) => {
    throw isAbsent(error) ? new HomeostatError('not_found', { what: `journal in ${folder}` }, error) : error
  })
  const newest = segments.at(-1)
  if (!newest) throw new HomeostatError('not_found', { what: `journal in ${folder}` })
  const { last, lastAt, cutBytes } = endOf(await disk.readFile(newest.path), newest, basename(newest.path))
  return {
    span: { first: segments[0]!.first, last, cutBytes },
    lastAt,
    read: (after) => framesOf(segments, { after, last }, disk),
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

const extension = '.journal'
const spareName = 'spare'

/** Bytes that a frame takes in the stores, for one in the journal: the log of DuckDB takes 38 a reading, a frame 20. */
const bytesInStores = 2
/** For what else is written to the disk. */
const spareBytes = 1 << 20

class FileJournal implements Journal {
  readonly #folder: string
  readonly #segmentBytes: number
  readonly #disk: JournalDisk
  readonly #encoder = new FrameEncoder()
  #segments: Segment[] = []
  #open: Open | undefined
  /** A whole segment of zeros or of old frames waits to be used. */
  #hasSpare = false
  #preparing: Promise<void> | undefined
  #rotating: Promise<void> | undefined
  /** Positions of the newest frame that was written, and of the newest that is durable. */
  #last = 0
  #synced = 0
  /** When the newest frame that was written was appended, UTC ms. */
  #lastAt = 0
  /** Further frames get positions above it. */
  #after = 0
  #waiters: Waiter[] = []
  #syncing: Promise<void> | undefined
  #closed = false

  constructor({ folder, segmentBytes = 4 << 20, disk = machineDisk }: FileJournalOptions) {
    this.#folder = folder
    this.#segmentBytes = segmentBytes
    this.#disk = disk
  }

  async open(after: number): Promise<JournalSpan> {
    await this.#disk.mkdir(this.#folder)
    this.#after = after
    await this.#findSpare()
    this.#segments = await segmentsIn(this.#folder, this.#disk)
    const newest = this.#segments.at(-1)
    let cutBytes = 0
    if (newest) {
      const end = endOf(await this.#disk.readFile(newest.path), newest, basename(newest.path))
      cutBytes = end.cutBytes
      this.#last = end.last
      this.#lastAt = end.lastAt
      // without a frame it is begun anew
      if (end.last < newest.first) this.#segments.pop()
    }
    const first = this.#segments[0]?.first ?? Math.max(this.#last, after) + 1
    const span = { first, last: this.#segments.length > 0 ? this.#last : first - 1, cutBytes }
    this.#synced = this.#last
    try {
      await this.#begin(this.#segmentBytes)
    } catch (error) {
      // what it holds can be read, and it goes on as soon as there is room
      if (!isFull(error)) throw error
    }
    return span
  }

  async append(entry: JournalEntry, at: number): Promise<Written> {
    for (;;) {
      while (this.#rotating) await this.#rotating
      if (this.#closed) throw new Error('The journal is closed.')
      const open = this.#open
      if (!open) {
        await this.#rotate(this.#segmentBytes)
        continue
      }
      const position = this.#last + 1
      const bytes = this.#encoder.encode(entry, { position, synced: this.#synced, at })
      if (open.offset + bytes.length > open.segment.bytes) {
        await this.#rotate(Math.max(this.#segmentBytes, segmentHeaderBytes + 2 * bytes.length))
        continue
      }
      this.#write(open, bytes)
      this.#last = position
      this.#lastAt = at
      const written = { position, bytes: bytes.length }
      await this.#durable(position)
      return written
    }
  }

  read(after: number): AsyncGenerator<JournalFrame> {
    return framesOf([...this.#segments], { after, last: this.#last }, this.#disk)
  }

  get releasable(): number {
    return this.#segments.length > 1 ? this.#segments.at(-1)!.previousLast : 0
  }

  async release(position: number, keepFrom: number): Promise<void> {
    for (;;) {
      const [oldest, next] = this.#segments
      if (!oldest || !next || next.previousLast > position || next.previousAt >= keepFrom) return
      this.#segments.shift()
      // oldest first, so that a crash leaves no gap
      if (this.#hasSpare || this.#preparing || oldest.bytes !== this.#segmentBytes)
        await this.#disk.unlink(oldest.path)
      else {
        await this.#disk.rename(oldest.path, this.#path(spareName))
        this.#hasSpare = true
      }
    }
  }

  async makeRoom(): Promise<void> {
    while (this.#rotating) await this.#rotating
    if (!this.#open) await this.#rotate(this.#segmentBytes)
  }

  get bytes(): number {
    const spare = this.#hasSpare ? this.#segmentBytes : 0
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, spare)
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#rotating) await this.#rotating.catch(() => undefined)
    await this.#preparing?.catch(() => undefined)
    await this.#syncing
    this.#open?.file.close()
    this.#open = undefined
  }

  /** A frame that is written in part stays behind the end of its segment: the next segment tells where that is. */
  #write(open: Open, bytes: Uint8Array): void {
    try {
      open.file.write(bytes, open.offset)
      open.offset += bytes.length
    } catch (error) {
      this.#abandon(error)
      throw error
    }
  }

  #durable(position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject })
      this.#syncing ??= this.#sync()
    })
  }

  /** One wait for the disk after the other; frames that are written meanwhile share the next. */
  async #sync(): Promise<void> {
    while (this.#waiters.length > 0 && this.#open) {
      const open = this.#open
      const upTo = this.#last
      try {
        await open.file.datasync()
      } catch (error) {
        if (this.#open === open) this.#abandon(error)
        continue
      }
      // a write that failed meanwhile has given up what was not durable
      if (this.#open !== open) continue
      this.#synced = upTo
      const done = this.#waiters.filter((waiter) => waiter.position <= upTo)
      this.#waiters = this.#waiters.filter((waiter) => waiter.position > upTo)
      for (const { resolve } of done) resolve()
    }
    this.#syncing = undefined
  }

  /**
   * After a write or a sync that failed nobody knows what is on disk: frames without an answer are given up, and the next
   * frame begins a new segment, which tells that they do not count.
   */
  #abandon(error: unknown): void {
    const file = this.#open?.file
    this.#open = undefined
    // not while a sync has it: its number might be given to another file
    if (file) (this.#syncing ?? Promise.resolve()).finally(() => file.close())
    this.#last = this.#synced
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }

  #rotate(bytes: number): Promise<void> {
    this.#rotating ??= this.#next(bytes).finally(() => {
      this.#rotating = undefined
    })
    return this.#rotating
  }

  async #next(bytes: number): Promise<void> {
    while (this.#syncing) await this.#syncing
    if (this.#open && this.#synced < this.#last) {
      try {
        await this.#open.file.datasync()
        this.#synced = this.#last
      } catch (error) {
        this.#abandon(error)
        throw error
      }
    }
    this.#open?.file.close()
    this.#open = undefined
    await this.#begin(bytes)
  }

  /** The name of the new segment is durable before its first frame is. */
  async #begin(bytes: number): Promise<void> {
    const first = Math.max(this.#last, this.#after) + 1
    const path = this.#path(`${String(first).padStart(16, '0')}${extension}`)
    const isUsual = bytes === this.#segmentBytes
    if (isUsual) await this.#prepareSpare()
    await this.#requireRoom(isUsual ? 0 : bytes, bytes)
    const from = isUsual ? this.#path(spareName) : this.#path('long')
    if (!isUsual) await this.#disk.allocate(from, bytes)
    const header = { first, previousLast: this.#last, previousAt: this.#lastAt }
    const file = this.#disk.open(from)
    try {
      file.write(encodeHeader(header), 0)
      await file.datasync()
      if (isUsual) this.#hasSpare = false
      await this.#disk.rename(from, path)
      await this.#disk.fsyncFolder(this.#folder)
    } catch (error) {
      file.close()
      throw error
    }
    this.#segments = [
      ...this.#segments.filter((segment) => segment.path !== path),
      { ...header, path, bytes },
    ]
    this.#encoder.reset()
    this.#open = { segment: this.#segments.at(-1)!, file, offset: segmentHeaderBytes }
    this.#last = first - 1
    this.#synced = this.#last
    // allocated ahead; where that fails, the next rotation reports it
    if (!this.#closed) this.#prepareSpare().catch(() => undefined)
  }

  /** Deletes a spare segment whose allocation was interrupted. */
  async #findSpare(): Promise<void> {
    const names = await this.#disk.readdir(this.#folder)
    if (!names.includes(spareName)) return
    const path = this.#path(spareName)
    this.#hasSpare = (await this.#disk.size(path)) >= this.#segmentBytes
    if (!this.#hasSpare) await this.#disk.unlink(path)
  }

  #prepareSpare(): Promise<void> {
    if (this.#hasSpare) return Promise.resolve()
    this.#preparing ??= this.#requireRoom(this.#segmentBytes, this.#segmentBytes)
      .then(() => this.#disk.allocate(this.#path(spareName), this.#segmentBytes))
      .then(() => {
        this.#hasSpare = true
      })
      .finally(() => {
        this.#preparing = undefined
      })
    return this.#preparing
  }

  /** Rejects where the disk has no room for a new file and for what the stores make of a segment. */
  async #requireRoom(newBytes: number, segmentBytes: number): Promise<void> {
    const needed = newBytes + bytesInStores * segmentBytes + spareBytes
    const free = await this.#disk.freeBytes(this.#folder)
    if (free < needed) throw new DiskFull(this.#folder, free, `needs ${needed} to go on`)
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** Segments of a folder, oldest first. Throws `journal_damaged` for a header that cannot be read. */
async function segmentsIn(folder: string, disk: JournalDisk): Promise<Segment[]> {
  const names = (await disk.readdir(folder)).filter((name) => name.endsWith(extension)).sort()
  const segments: Segment[] = []
  for (const name of names) {
    const path = join(folder, name)
    const header = decodeHeader(await disk.readFile(path, segmentHeaderBytes), name)
    segments.push({ ...header, path, bytes: await disk.size(path) })
  }
  return segments
}

/** Frames of segments from `after` to `last`. Throws `journal_damaged` at one that cannot be read. */
async function* framesOf(
  segments: readonly Segment[],
  span: { readonly after: number; readonly last: number },
  disk: JournalDisk,
): AsyncGenerator<JournalFrame> {
  for (const [index, segment] of segments.entries()) {
    const last = Math.min(span.last, segments[index + 1]?.previousLast ?? span.last)
    if (last <= span.after || last < segment.first) continue
    const bytes = await disk.readFile(segment.path)
    yield* decodedFrames(bytes, segment, { after: span.after, last }, basename(segment.path))
  }
}
