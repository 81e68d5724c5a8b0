import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/**
 * SQLite notices a damaged structure, not a damaged value. So each page of the file has a checksum in the file
 * `ledger.db-sums`, and the start compares them. The log has checksums of SQLite's own.
 *
 * Little-endian: u32 magic, u32 CRC-32 of all that follows, u32 change (see `KnownContents.ledger`), u32 bytes of a page,
 * then a u32 CRC-32 for each page. The main file only changes in a checkpoint. The sums are written after its pages are
 * on disk and before the log is emptied: pages that are in the log are not compared, because the log replaces them.
 */
export interface PageSums {
  /** User version of the database when the sums were taken. */
  readonly change: number
  readonly pageBytes: number
  readonly sums: Uint32Array
}

const magic = 0x53_50_4d_48
const headerBytes = 16

/** Undefined where the file is absent or damaged itself. */
export function readSums(file: string): PageSums | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return undefined
  }
  const isWhole =
    bytes.length >= headerBytes &&
    bytes.length % 4 === 0 &&
    bytes.readUInt32LE(0) === magic &&
    bytes.readUInt32LE(4) === crc32(bytes.subarray(8))
  if (!isWhole) return undefined
  const count = (bytes.length - headerBytes) / 4
  return {
    change: bytes.readUInt32LE(8),
    pageBytes: bytes.readUInt32LE(12),
    sums: Uint32Array.from({ length: count }, (_, page) => bytes.readUInt32LE(headerBytes + page * 4)),
  }
}

/** Replaces the file; durable when it returns. */
export function writeSums(file: string, { change, pageBytes, sums }: PageSums): void {
  const bytes = Buffer.alloc(headerBytes + sums.length * 4)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(change, 8)
  bytes.writeUInt32LE(pageBytes, 12)
  for (const [page, sum] of sums.entries()) bytes.writeUInt32LE(sum, headerBytes + page * 4)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  const draft = `${file}.new`
  const fd = openSync(draft, 'w', 0o600)
  try {
    writeSync(fd, bytes)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, file)
}

/** Sums of all pages of an open file, or of those in `only` with the others from `before`. Pages count from 0. */
export function sumsOf(
  fd: number,
  size: { readonly pageBytes: number; readonly pages: number },
  before?: Uint32Array,
  only?: ReadonlySet<number>,
): Uint32Array {
  const { pageBytes, pages } = size
  const page = Buffer.alloc(pageBytes)
  return Uint32Array.from({ length: pages }, (_, index) => {
    const known = before?.[index]
    if (known !== undefined && only && !only.has(index)) return known
    return crc32(page.subarray(0, readSync(fd, page, 0, pageBytes, index * pageBytes)))
  })
}

/** The first page that is not as its sum says, of those that the log does not replace. Pages count from 0. */
export function findDamage(
  fd: number,
  { pageBytes, sums }: PageSums,
  inLog: ReadonlySet<number>,
): number | undefined {
  const found = sumsOf(fd, { pageBytes, pages: sums.length }, sums, undefined)
  const page = found.findIndex((sum, index) => sum !== sums[index] && !inLog.has(index))
  return page < 0 ? undefined : page
}

/** A write-ahead log: its header, and the pages in it, counted from 0. */
export interface LogPages {
  /** Identifies this use of the file: changes when the log is begun anew. */
  readonly header: Buffer
  readonly pages: ReadonlySet<number>
}

const logHeaderBytes = 32
const frameHeaderBytes = 24

/** Pages in a log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log), of transactions that ended or not. */
export function readLog(file: string): LogPages {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    bytes = Buffer.alloc(0)
  }
  const pages = new Set<number>()
  const header = bytes.subarray(0, logHeaderBytes)
  if (header.length < logHeaderBytes) return { header, pages }
  const pageBytes = header.readUInt32BE(8)
  const salts = header.subarray(16, 24)
  if (pageBytes < 512) return { header, pages }
  const frameBytes = frameHeaderBytes + pageBytes
  for (let at = logHeaderBytes; at + frameBytes <= bytes.length; at += frameBytes) {
    if (!bytes.subarray(at + 8, at + 16).equals(salts)) break
    pages.add(bytes.readUInt32BE(at) - 1)
  }
  return { header, pages }
}

const versionAt = 60
const pageBytesAt = 16

/** What the first page of an open database file tells; undefined for one without content. */
export function readHead(fd: number): { readonly change: number; readonly pageBytes: number } | undefined {
  const head = Buffer.alloc(100)
  if (readSync(fd, head, 0, 100, 0) < 100) return undefined
  const pageBytes = head.readUInt16BE(pageBytesAt)
  return { change: head.readUInt32BE(versionAt), pageBytes: pageBytes === 1 ? 65_536 : pageBytes }
}
