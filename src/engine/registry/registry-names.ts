import { sha256 as hash } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { HomeostatError } from '../../core/errors.ts'
import { oldDomain } from '../../core/old-card.ts'
import { type Target, targetName } from '../../core/target.ts'

/** Roots of the versions, and of the quarantined ones, which are never loaded again. */
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
 * cut and ends with `~~` and 128 bits of the SHA-256 of the whole; its full name is in the manifest.
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

/** `models/home/energy/fridge/`: begins the keys of a target, below either root. */
export const folderOf = (root: string, { site, domain, subject }: Target): Promise<string> =>
  joined(root, [site, domain, subject])

/** `models/home/fridge/energy/`: where hubs before targets kept the models of a series; only energy had any. */
export const oldFolderOf = async (
  root: string,
  { site, domain, subject }: Target,
): Promise<string | undefined> =>
  domain === oldDomain ? joined(root, [site, subject, oldDomain]) : undefined

const joined = async (root: string, ids: readonly string[]): Promise<string> =>
  `${root}/${(await Promise.all(ids.map(segmentOf))).join('/')}/`

/** Versions are named by the hub and used as they are. Throws `model_refused` for an invalid name. */
export function checkVersion(target: Target, version: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(version)) return version
  throw refusal(target, version, 'a version is named by 1 to 64 letters, digits, - and _')
}

/** For messages. */
export const nameOf = (target: Target, version = ''): string => `${targetName(target)} ${version}`.trimEnd()

/** Why a version is not served; `detail` ends a sentence. */
export const refusal = (target: Target, version: string, detail: string): HomeostatError =>
  new HomeostatError('model_refused', { model: nameOf(target, version), detail })

/**
 * In hex. Not by WebCrypto, which answers from a thread: here a promise that waits for nothing outside is kept at once,
 * so a virtual clock need not guess when it is.
 */
export const sha256 = async (bytes: Uint8Array): Promise<string> => bytesToHex(hash(bytes))
