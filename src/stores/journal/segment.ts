import { crc32 } from 'node:zlib'
import { HomeostatError } from '../../core/errors.ts'
import type { JournalFrame } from '../../core/journal.ts'
import { FrameDecoder, frameAt, frameMagic, type RawFrame } from './frame.ts'

/**
 * A segment is a file of a journal: a header, then frames. What follows the last frame is not defined: zeros, or frames
 * of the time before the file was used again, whose positions are lower.
 *
 *  0 u32 magic   4 u32 version   8 u32 CRC-32 of the 24 bytes that follow   12 u32 0
 * 16 f64 position of its first frame   24 f64 position of the last frame of the segment before   32 f64 when that frame was appended, UTC ms
 */
export interface SegmentHeader {
  readonly first: number
  /** The segment before ends here; frames behind it were never acknowledged. */
  readonly previousLast: number
  /** When the last frame before it was appended, UTC ms; 0 where there was none. */
  readonly previousAt: number
}

const segmentMagic = 0x4d_53_4f_48
const version = 1
/** Where the first frame begins. */
export const segmentHeaderBytes = 64

export function encodeHeader({ first, previousLast, previousAt }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  bytes.writeUInt32LE(segmentMagic, 0)
  bytes.writeUInt32LE(version, 4)
  bytes.writeDoubleLE(first, 16)
  bytes.writeDoubleLE(previousLast, 24)
  bytes.writeDoubleLE(previousAt, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(16, 40)), 8)
  return bytes
}

/** Throws `journal_damaged` for bytes that are no header of this version. */
export function decodeHeader(bytes: Buffer, segment: string): SegmentHeader {
  if (bytes.length < segmentHeaderBytes || bytes.readUInt32LE(0) !== segmentMagic)
    throw damaged(segment, 0, 'it does not begin as a segment')
  if (bytes.readUInt32LE(4) !== version)
    throw damaged(segment, 4, `a newer Homeostat wrote it (format ${bytes.readUInt32LE(4)})`)
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(16, 40)))
    throw damaged(segment, 16, 'the checksum of its header is wrong')
  return {
    first: bytes.readDoubleLE(16),
    previousLast: bytes.readDoubleLE(24),
    previousAt: bytes.readDoubleLE(32),
  }
}

export interface SegmentEnd {
  readonly last: number
  /** When that frame was appended, UTC ms. */
  readonly lastAt: number
  /** Bytes behind the last frame that an interrupted write left. */
  readonly cutBytes: number
}

/**
 * Where the newest segment of a journal ends. A frame that cannot be read ends it where it may be a write that was cut
 * short. Throws `journal_damaged` where a later frame tells that it was durable.
 */
export function endOf(bytes: Buffer, header: SegmentHeader, segment: string): SegmentEnd {
  let last = header.first - 1
  let lastAt = header.previousAt
  let offset = segmentHeaderBytes
  for (const frame of framesFrom(bytes, header.first)) {
    last = frame.position
    lastAt = frame.at
    offset += frame.length
  }
  let cutBytes = 0
  for (const { frame, offset: at } of laterFrames(bytes, offset, last)) {
    if (frame.synced > last) throw damaged(segment, offset, `frame ${last + 1} cannot be read`)
    cutBytes = at + frame.length - offset
  }
  const isBegun = offset + 4 <= bytes.length && bytes.readUInt32LE(offset) === frameMagic
  return { last, lastAt, cutBytes: Math.max(cutBytes, isBegun && isNewer(bytes, offset, last) ? 1 : 0) }
}

/** A header that was written, of a frame whose rest may not be: its position tells it from one of an earlier use. */
const isNewer = (bytes: Buffer, offset: number, last: number): boolean =>
  offset + 24 <= bytes.length && bytes.readDoubleLE(offset + 16) === last + 1

/** Whole frames one after the other, from the position of the first; ends where there is no such frame. */
export function* framesFrom(bytes: Buffer, first: number): Generator<RawFrame> {
  let offset = segmentHeaderBytes
  for (let position = first; ; position++) {
    const frame = frameAt(bytes, offset)
    if (frame?.position !== position) return
    yield frame
    offset += frame.length
  }
}

/** Whole frames anywhere behind an offset with positions above `last`. */
function* laterFrames(
  bytes: Buffer,
  from: number,
  last: number,
): Generator<{ readonly frame: RawFrame; readonly offset: number }> {
  const mark = Buffer.alloc(4)
  mark.writeUInt32LE(frameMagic)
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const frame = frameAt(bytes, at)
    if (frame && frame.position > last) yield { frame, offset: at }
  }
}

/** The frames of a segment from `after` to `last`, decoded. Throws `journal_damaged` where one of them cannot be read. */
export function* decodedFrames(
  bytes: Buffer,
  { first }: SegmentHeader,
  span: { readonly after: number; readonly last: number },
  segment: string,
): Generator<JournalFrame> {
  const decoder = new FrameDecoder()
  let offset = segmentHeaderBytes
  let position = first - 1
  for (const frame of framesFrom(bytes, first)) {
    if (frame.position > span.last) return
    const entry = frame.entry(decoder)
    position = frame.position
    offset += frame.length
    if (position > span.after) yield { position, at: frame.at, entry }
  }
  if (position < span.last) throw damaged(segment, offset, `frame ${position + 1} cannot be read`)
}

const damaged = (segment: string, offset: number, detail: string): HomeostatError =>
  new HomeostatError('journal_damaged', { segment, offset, detail })
