/** Longest segment of a key, in characters: with the ending of a temporary file it stays below 255 bytes. */
const segmentMax = 200
/** Longest key: S3 takes 1,024 bytes, the prefix of the configuration included. */
const keyMax = 900

const segment = /^[A-Za-z0-9._~-]+$/

/**
 * Throws where the key is not one of the ArtifactStore port: segments of [A-Za-z0-9._~-] parted by slashes, each of at
 * most 200 characters, none `.` or `..`. So no key leaves the folder or the prefix that it belongs in.
 */
export function checkKey(key: string): void {
  if (key.length > keyMax) throw new Error(`The key of an artifact has at most ${keyMax} characters: ${key}`)
  for (const part of key.split('/')) {
    if (part.length > segmentMax || part === '.' || part === '..' || !segment.test(part)) {
      throw new Error(`This cannot be the key of an artifact: ${JSON.stringify(key)}`)
    }
  }
}

/** Throws where no key could begin so; a prefix may end anywhere, also behind a slash or with nothing at all. */
export function checkPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (folder !== '') checkKey(folder.slice(0, -1))
  const rest = prefix.slice(folder.length)
  if (rest !== '' && !segment.test(rest)) {
    throw new Error(`No key of an artifact begins with ${JSON.stringify(prefix)}`)
  }
}
