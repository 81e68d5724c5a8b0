import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ApiKey, Role } from '../core/event.ts'

/** Secret form: `hs_<id>_<32 random bytes>`. Only its SHA-256 is kept: with 256 random bits nothing slower is needed. */
export function createKey(
  name: string,
  role: Role,
  sites: readonly string[] | null,
  now: number,
): { readonly key: ApiKey; readonly secret: string } {
  const id = randomBytes(6).toString('hex')
  const secret = `hs_${id}_${randomBytes(32).toString('base64url')}`
  return { key: { id, name, role, sites, sha256: sha256(secret).toString('hex'), createdAt: now }, secret }
}

/** Whether a text could be the secret of a key. */
export const isKeyForm = (secret: string): boolean => /^hs_[0-9a-f]{12}_/.test(secret)

/** The keys of the ledger, in memory. */
export class KeyRing {
  readonly #keys = new Map<string, ApiKey>()

  constructor(keys: readonly ApiKey[]) {
    for (const key of keys) this.#keys.set(key.id, key)
  }

  get size(): number {
    return this.#keys.size
  }

  has(id: string): boolean {
    return this.#keys.has(id)
  }

  add(key: ApiKey): void {
    this.#keys.set(key.id, key)
  }

  remove(id: string): void {
    this.#keys.delete(id)
  }

  /** The key with this secret, compared in constant time; undefined for an unknown secret. */
  find(secret: string): ApiKey | undefined {
    const key = this.#keys.get(/^hs_([0-9a-f]{12})_/.exec(secret)?.[1] ?? '')
    return key && timingSafeEqual(sha256(secret), Buffer.from(key.sha256, 'hex')) ? key : undefined
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
