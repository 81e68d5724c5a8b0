import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { HomeostatError } from '../core/errors.ts'
import type { Role } from '../core/event.ts'
import type { PeopleLedger, Session, User } from '../core/people.ts'
import type { Clock, Log } from '../core/ports.ts'
import { hourMs } from '../core/time.ts'
import { Attempts } from './attempts.ts'
import { Passwords, type ScryptCost } from './password.ts'
import { isToken, Tokens } from './tokens.ts'

export interface PeopleOptions {
  readonly usersMax: number
  readonly sessionsPerUser: number
  readonly preferencesBytes: number
  /** How long a session lasts after it was last used. */
  readonly sessionMs: number
  /** How long an access token is valid. */
  readonly accessMs: number
  /** Sign-ins within `attemptMs` before further ones are refused, by name and by address. */
  readonly attemptsPerName: number
  readonly attemptsPerAddress: number
  readonly attemptMs: number
  readonly passwordCost: ScryptCost
}

export interface PeopleParts {
  readonly ledger: PeopleLedger
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Signs access tokens; at least 32 bytes. */
  readonly secret: Uint8Array
}

/** Where a sign-in comes from. */
export interface Origin {
  readonly address: string
  /** What the client calls itself. */
  readonly device: string
}

export interface SignedIn {
  readonly user: User
  readonly session: Session
}

export interface IssuedTokens {
  readonly access: string
  readonly refresh: string
  readonly session: Session
  /** How long the access token is valid. */
  readonly accessMs: number
}

export interface NewUser {
  readonly name: string
  readonly role: Role
  readonly sites: readonly string[] | null
  readonly password: string
}

const deviceCharacters = 200
/** Refresh tokens that were replaced and are still recognised, newest last. */
const replacedMax = 20
/** How much later a session must be used again for its use to be written down. */
const seenStepMs = hourMs

/** Users and their sessions: in memory, each change kept in the ledger first. */
export class People {
  readonly #parts: PeopleParts
  readonly #options: PeopleOptions
  readonly #passwords: Passwords
  readonly #tokens: Tokens
  readonly #byName: Attempts
  readonly #byAddress: Attempts
  readonly #users = new Map<string, User>()
  readonly #sessions = new Map<string, Session>()

  constructor(parts: PeopleParts, options: PeopleOptions) {
    this.#parts = parts
    this.#options = options
    this.#passwords = new Passwords(options.passwordCost)
    this.#tokens = new Tokens(parts.secret)
    this.#byName = new Attempts(options.attemptsPerName, options.attemptMs)
    this.#byAddress = new Attempts(options.attemptsPerAddress, options.attemptMs)
  }

  /** Reads the ledger. Call once, before anything else. */
  async open(): Promise<void> {
    const { ledger } = this.#parts
    for (const user of await ledger.users()) this.#users.set(user.id, user)
    const expired: string[] = []
    for (const session of await ledger.sessions()) {
      if (session.expiresAt > this.#now) this.#sessions.set(session.id, session)
      else expired.push(session.id)
    }
    if (expired.length > 0) await ledger.removeSessions(expired)
  }

  get size(): number {
    return this.#users.size
  }

  /** By name. */
  users(): User[] {
    return [...this.#users.values()].sort((a, b) => (plain(a.name) < plain(b.name) ? -1 : 1))
  }

  user(id: string): User | undefined {
    return this.#users.get(id)
  }

  named(name: string): User | undefined {
    return [...this.#users.values()].find((user) => plain(user.name) === plain(name))
  }

  /** Throws `user_exists` or `users_full`. */
  async create({ name, role, sites, password }: NewUser): Promise<User> {
    const { usersMax } = this.#options
    this.#requireFree(name)
    if (this.#users.size >= usersMax) throw new HomeostatError('users_full', { limit: usersMax })
    const hash = await this.#passwords.hash(password)
    const id = randomBytes(6).toString('hex')
    const user: User = {
      ...{ id, name: name.normalize('NFC'), role, sites, password: hash, preferences: {} },
      createdAt: this.#now,
    }
    // somebody may have taken the name while the password was hashed
    this.#requireFree(name)
    this.#users.set(id, user)
    try {
      await this.#parts.ledger.putUser(user)
    } catch (error) {
      this.#users.delete(id)
      throw error
    }
    return user
  }

  /** Throws `not_found`. Ends the sessions of the user. */
  async remove(name: string): Promise<void> {
    const { id } = this.#known(name)
    await this.#parts.ledger.removeUser(id)
    this.#users.delete(id)
    for (const session of this.sessionsOf(id)) this.#sessions.delete(session.id)
  }

  /** Changes role, sites or password, and ends the sessions of the user: they were made with the former ones. */
  async change(
    name: string,
    { password, ...change }: Partial<Omit<NewUser, 'name'>>,
    keepSession?: string,
  ): Promise<User> {
    const { id } = this.#known(name)
    const hash = password === undefined ? undefined : await this.#passwords.hash(password)
    const user: User = { ...this.#known(name), ...change, ...(hash && { password: hash }) }
    if (user.id !== id) throw new HomeostatError('not_found', { what: `user "${name}"` })
    await this.#put(user)
    await this.end(
      this.sessionsOf(id)
        .map((session) => session.id)
        .filter((session) => session !== keepSession),
    )
    return user
  }

  /** Changes the password of the one who knows it. Throws `sign_in_failed` where the present one is not right. */
  async changePassword(name: string, present: string, next: string, keepSession?: string): Promise<void> {
    const user = this.#known(name)
    this.#byName.add(plain(name), this.#now)
    if (!(await this.#passwords.matches(present, user.password))) throw new HomeostatError('sign_in_failed')
    this.#byName.clear(plain(name))
    await this.change(name, { password: next }, keepSession)
  }

  /** Throws `preferences_too_large`. */
  async setPreferences(id: string, preferences: Readonly<Record<string, unknown>>): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(preferences))
    const limit = this.#options.preferencesBytes
    if (bytes > limit) throw new HomeostatError('preferences_too_large', { bytes, limit })
    const user = this.#users.get(id)
    if (!user) throw new HomeostatError('not_found', { what: `user "${id}"` })
    await this.#put({ ...user, preferences })
  }

  /** Throws `sign_in_failed`, or `rate_limited` after too many attempts with this name or from this address. */
  async signIn(
    name: string,
    password: string,
    kind: Session['kind'],
    origin: Origin,
  ): Promise<SignedIn & { readonly secret: string }> {
    // counted before the answer is known, so that attempts at the same time count, too
    this.#byAddress.add(origin.address, this.#now)
    this.#byName.add(plain(name), this.#now)
    const found = this.named(name)
    if (!(await this.#passwords.matches(password, found?.password)) || !found)
      throw new HomeostatError('sign_in_failed')
    this.#byName.clear(plain(name))
    this.#byAddress.clear(origin.address)
    const user = await this.#rehashed(found, password)
    return { user, ...(await this.#begin(user, kind, origin)) }
  }

  /** Signs in for access tokens; see `signIn`. */
  async login(name: string, password: string, origin: Origin): Promise<IssuedTokens> {
    const { session, secret } = await this.signIn(name, password, 'tokens', origin)
    return this.#issued(session, secret)
  }

  /**
   * New tokens for a refresh token, which is used up by it. A token that was used before ends the session: two have it
   * (RFC 9700, 4.14.2). Throws `token_invalid`.
   */
  async refresh(token: string): Promise<IssuedTokens> {
    const session = this.#sessions.get(idIn(token) ?? '')
    if (!session || !this.#isAlive(session) || session.kind !== 'tokens')
      throw new HomeostatError('token_invalid')
    const hash = sha256(token)
    if (session.replaced.includes(hash)) {
      await this.end([session.id])
      this.#parts.log.warn('A refresh token was used twice; its session has ended.', { session: session.id })
      throw new HomeostatError('token_invalid')
    }
    if (!isEqual(hash, session.sha256)) throw new HomeostatError('token_invalid')
    const secret = newSecret(session.id)
    const renewed: Session = {
      ...session,
      ...{ sha256: sha256(secret), replaced: [...session.replaced, hash].slice(-replacedMax) },
      ...{ seenAt: this.#now, expiresAt: this.#now + this.#options.sessionMs },
    }
    // before the ledger: of two requests with the same token only one may succeed
    this.#sessions.set(session.id, renewed)
    try {
      await this.#parts.ledger.putSession(renewed)
    } catch (error) {
      // the client has no other token than this one
      if (this.#sessions.get(session.id) === renewed) this.#sessions.set(session.id, session)
      throw error
    }
    return this.#issued(renewed, secret)
  }

  /** Who sends a session cookie; undefined where it has ended. */
  ofCookie(secret: string): SignedIn | undefined {
    const session = this.#sessions.get(idIn(secret) ?? '')
    if (session?.kind !== 'browser' || !this.#isAlive(session)) return undefined
    return isEqual(sha256(secret), session.sha256) ? this.#seen(session) : undefined
  }

  /** Who sends an access token; undefined where it is not valid any more. */
  ofToken(token: string): SignedIn | undefined {
    const claims = isToken(token) ? this.#tokens.verify(token, this.#now) : undefined
    const session = claims && this.#sessions.get(claims.sid)
    if (session?.user !== claims?.sub || session?.kind !== 'tokens' || !this.#isAlive(session))
      return undefined
    return this.#seen(session)
  }

  /** Whether a session that was valid is so still. */
  has(id: string): boolean {
    const session = this.#sessions.get(id)
    return session !== undefined && this.#isAlive(session)
  }

  /** Those of a user, the last used first. */
  sessionsOf(user: string): Session[] {
    return [...this.#sessions.values()]
      .filter((session) => session.user === user && this.#isAlive(session))
      .sort((a, b) => b.seenAt - a.seenAt)
  }

  /** Ends sessions. */
  async end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    // at once, also where the disk is full
    for (const id of ids) this.#sessions.delete(id)
    await this.#parts.ledger.removeSessions(ids)
  }

  get #now(): number {
    return this.#parts.clock.now()
  }

  #requireFree(name: string): void {
    if (this.named(name)) throw new HomeostatError('user_exists', { name })
  }

  #known(name: string): User {
    const user = this.named(name)
    if (!user) throw new HomeostatError('not_found', { what: `user "${name}"` })
    return user
  }

  async #put(user: User): Promise<void> {
    await this.#parts.ledger.putUser(user)
    this.#users.set(user.id, user)
  }

  /** The user, whose password is hashed with the parameters of today from now on. */
  async #rehashed(user: User, password: string): Promise<User> {
    if (!this.#passwords.isOutdated(user.password)) return user
    const hash = await this.#passwords.hash(password)
    const renewed = { ...this.#requireSamePassword(user), password: hash }
    await this.#put(renewed)
    return renewed
  }

  /** Throws `sign_in_failed` where the user was removed, or got another password, while something was awaited. */
  #requireSamePassword({ id, password }: User): User {
    const user = this.#users.get(id)
    if (user?.password !== password) throw new HomeostatError('sign_in_failed')
    return user
  }

  async #begin(
    user: User,
    kind: Session['kind'],
    { address, device }: Origin,
  ): Promise<{ readonly session: Session; readonly secret: string }> {
    const id = randomBytes(6).toString('hex')
    const secret = newSecret(id)
    const now = this.#now
    const session: Session = {
      ...{ id, user: user.id, kind, sha256: sha256(secret), replaced: [] },
      ...{ address, device: device.slice(0, deviceCharacters) },
      ...{ createdAt: now, seenAt: now, expiresAt: now + this.#options.sessionMs },
    }
    await this.#parts.ledger.putSession(session)
    this.#requireSamePassword(user)
    this.#sessions.set(id, session)
    const kept = new Set(this.sessionsOf(user.id).slice(0, this.#options.sessionsPerUser))
    const others = [...this.#sessions.values()].filter((one) => one.user === user.id && !kept.has(one))
    await this.end(others.map((old) => old.id))
    return { session, secret }
  }

  #issued(session: Session, refresh: string): IssuedTokens {
    const { accessMs } = this.#options
    const iat = Math.floor(this.#now / 1000)
    const exp = iat + Math.round(accessMs / 1000)
    return {
      access: this.#tokens.sign({ sub: session.user, sid: session.id, iat, exp }),
      refresh,
      session,
      accessMs,
    }
  }

  #isAlive({ user, expiresAt }: Session): boolean {
    return expiresAt > this.#now && this.#users.has(user)
  }

  /** Use makes a session last longer; it is written down now and then only. */
  #seen(session: Session): SignedIn | undefined {
    const user = this.#users.get(session.user)
    const now = this.#now
    if (now - session.seenAt >= seenStepMs) {
      const seen = { ...session, seenAt: now, expiresAt: now + this.#options.sessionMs }
      this.#sessions.set(session.id, seen)
      this.#parts.ledger.putSession(seen).catch((error: unknown) => {
        this.#parts.log.warn('The use of a session could not be written down.', { error: String(error) })
      })
    }
    return user && { user, session }
  }
}

/** Names are the same without regard to case. */
const plain = (name: string): string => name.normalize('NFKC').toLowerCase()

/** `hu_<id of the session>_<32 random bytes>` */
const newSecret = (id: string): string => `hu_${id}_${randomBytes(32).toString('base64url')}`

const idIn = (secret: string): string | undefined => /^hu_([0-9a-f]{12})_[\w-]{43}$/.exec(secret)?.[1]

/** With 256 random bits nothing slower is needed. */
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const isEqual = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
