import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { HomeostatError } from '../core/errors.ts'
import type { PasswordHash } from '../core/people.ts'
import { Turns } from '../core/turns.ts'

export type ScryptCost = Pick<PasswordHash, 'n' | 'r' | 'p'>

/** 32 MiB and about 0.2 s. OWASP Password Storage Cheat Sheet, scrypt: N=2^15, r=8, p=3. */
export const usualCost: ScryptCost = { n: 2 ** 15, r: 8, p: 3 }

const hashBytes = 32

/** What is compared where no user has the name, so that the answer takes as long. */
const saltOfNobody = Buffer.alloc(16)

/** Passwords that may wait to be hashed: each takes memory and a thread that file access needs, too. */
const waitingMax = 32

/** Hashes and compares passwords with scrypt, two at a time. */
export class Passwords {
  readonly #cost: ScryptCost
  readonly #turns = new Turns(2)
  #waiting = 0

  constructor(cost: ScryptCost) {
    this.#cost = cost
  }

  async hash(password: string): Promise<PasswordHash> {
    const salt = randomBytes(16)
    const hash = await this.#derive(password, salt, this.#cost)
    return { ...this.#cost, salt: salt.toString('base64url'), hash: hash.toString('base64url') }
  }

  /** Whether it is the password; `kept` undefined: takes the same time and is false. */
  async matches(password: string, kept: PasswordHash | undefined): Promise<boolean> {
    const salt = kept ? Buffer.from(kept.salt, 'base64url') : saltOfNobody
    const hash = await this.#derive(password, salt, kept ?? this.#cost)
    const expected = Buffer.from(kept?.hash ?? '', 'base64url')
    return expected.length === hash.length && timingSafeEqual(expected, hash)
  }

  /** Whether the hash was made with other parameters than those of today. */
  isOutdated({ n, r, p }: PasswordHash): boolean {
    return n !== this.#cost.n || r !== this.#cost.r || p !== this.#cost.p
  }

  /** Throws `rate_limited` while too many wait. */
  async #derive(password: string, salt: Buffer, { n, r, p }: ScryptCost): Promise<Buffer> {
    if (this.#waiting >= waitingMax) throw new HomeostatError('rate_limited', { seconds: 5 })
    this.#waiting++
    try {
      // NFKC: the same characters, however the keyboard composes them (NIST SP 800-63B, 5.1.1.2)
      const text = password.normalize('NFKC')
      // 128 N r bytes, and some more for OpenSSL's own check
      const cost = { N: n, r, p, maxmem: 256 * n * r }
      return await this.#turns.run(() => derived(text, salt, cost))
    } finally {
      this.#waiting--
    }
  }
}

const derived = (password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password, salt, hashBytes, options, (error, hash) => (error ? reject(error) : resolve(hash))),
  )
