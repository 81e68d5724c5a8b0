import { sha256 as hash } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { HomeostatError } from '../../core/errors.ts'
import type { SeriesKey } from '../../core/event.ts'

/** Where versions stand, and where those stand that are never loaded again. */
export const keptRoot = 'models'
export const refusedRoot = 'refused'

/** Longest segment: with four of them and a prefix a key stays below the 1,024 bytes of S3. */
const segmentMax = 120
const hashDigits = 32

const encoder = new TextEncoder()

/**
 * An id as one segment of a key. Small letters, digits, `-` and `_` stand for themselves, every other byte of its
 * UTF-8 is `~` and two hex digits: capitals too, because a file system may not tell them from small letters, and dots.
 * Different ids so have different segments, on every disk. An id whose segment would be longer than 120 characters is
 * cut and ends with `~~` and 128 bits of the SHA-256 of the whole; its full name stands in the manifest.
 */
export async function segmentOf(id: string): Promise<string> {
  let segment = ''
  for (const byte of encoder.encode(id)) {
    const sign = String.fromCharCode(byte)
    segment += /[a-z0-9_-]/.test(sign) ? sign : `~${byte.toString(16).padStart(2, '0')}`
  }
  if (segment.length <= segmentMax) return segment
  const digits = (await sha256(encoder.encode(id))).slice(0, hashDigits)
  // not in the middle of an escape: what is left in front stays readable
  const head = segment.slice(0, segmentMax - hashDigits - 2).replace(/~.?$/, '')
  return `${head}~~${digits}`
}

/** `models/home/fridge/energy/`: begins the keys of a series, below either root. */
export async function folderOf(root: string, series: SeriesKey): Promise<string> {
  const ids = [series.site, series.device, series.metric]
  return `${root}/${(await Promise.all(ids.map(segmentOf))).join('/')}/`
}

/** Versions are the hub's own names and stand for themselves. Throws `model_refused` for what is none. */
export function checkVersion(series: SeriesKey, version: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(version)) return version
  throw refusal(series, version, 'a version is named by 1 to 64 letters, digits, - and _')
}

/** For messages. */
export const nameOf = ({ site, device, metric }: SeriesKey, version = ''): string =>
  `${site}/${device}/${metric} ${version}`.trimEnd()

/** Why a version is not served; `detail` ends a sentence. */
export const refusal = (series: SeriesKey, version: string, detail: string): HomeostatError =>
  new HomeostatError('model_refused', { model: nameOf(series, version), detail })

/**
 * In hex. Not by WebCrypto, which answers from a thread: here a promise that waits for nothing outside is kept at once,
 * so a virtual clock need not guess when it is.
 */
export const sha256 = async (bytes: Uint8Array): Promise<string> => bytesToHex(hash(bytes))
