import type { Role } from './event.ts'

/** A password as it is kept: scrypt (RFC 7914), with the parameters that it was made with. */
export interface PasswordHash {
  /** CPU and memory cost, a power of 2. */
  readonly n: number
  /** Block size. */
  readonly r: number
  /** Parallelisation. */
  readonly p: number
  /** base64url. */
  readonly salt: string
  /** base64url. */
  readonly hash: string
}

/** A person who signs in. */
export interface User {
  /** Never used again, so that nothing of a removed user passes to a later one of the same name. */
  readonly id: string
  /** Unique without regard to case. */
  readonly name: string
  readonly role: Role
  /** Sites that the user reaches; null means all. */
  readonly sites: readonly string[] | null
  readonly password: PasswordHash
  /** A JSON object of bounded length: language, units, theme. */
  readonly preferences: Readonly<Record<string, unknown>>
  readonly createdAt: number
}

/** One device on which a user is signed in. The secret itself is never kept, only its SHA-256 in hex. */
export interface Session {
  readonly id: string
  readonly user: string
  /** `browser`: a cookie. `tokens`: access tokens, renewed by a refresh token that changes each time. */
  readonly kind: 'browser' | 'tokens'
  readonly sha256: string
  /** SHA-256 of the refresh tokens that were replaced, newest last: whoever sends one has a copy. */
  readonly replaced: readonly string[]
  /** What the client calls itself. */
  readonly device: string
  readonly address: string
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
}

/** Users and their sessions. */
export interface PeopleLedger {
  /** Same id replaces. */
  putUser(user: User): Promise<void>
  /** By id. */
  users(): Promise<User[]>
  /** With the user's sessions. Returns whether there was one. */
  removeUser(id: string): Promise<boolean>
  /** Same id replaces. */
  putSession(session: Session): Promise<void>
  /** By id. */
  sessions(): Promise<Session[]>
  removeSessions(ids: readonly string[]): Promise<void>
}
