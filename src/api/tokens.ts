import { createHmac, timingSafeEqual } from 'node:crypto'

/** What an access token says: RFC 7519. */
export interface AccessClaims {
  /** Id of the user. */
  readonly sub: string
  /** Id of the session. */
  readonly sid: string
  /** Seconds since 1970. */
  readonly iat: number
  readonly exp: number
}

const issuer = 'homeostat'

/**
 * The only header that is issued and accepted, compared as text. Reading `alg` from a token would let its sender choose
 * the algorithm (RFC 8725, 3.1).
 */
const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')

/** Longer ones are not looked at. */
const charactersMax = 2048

/** Whether a credential has the form of a token rather than of an API key. */
export const isToken = (credential: string): boolean => credential.startsWith('eyJ')

/** Access tokens: JWT signed with HS256 (RFC 7518, 3.2) and the secret of this installation. */
export class Tokens {
  readonly #secret: Uint8Array

  /** `secret`: at least 32 bytes. */
  constructor(secret: Uint8Array) {
    if (secret.length < 32) throw new Error('The secret of tokens has at least 32 bytes.')
    this.#secret = secret
  }

  sign(claims: AccessClaims): string {
    const body = Buffer.from(JSON.stringify({ iss: issuer, ...claims })).toString('base64url')
    return `${header}.${body}.${this.#signature(body).toString('base64url')}`
  }

  /** The claims of a token that this installation signed and that has not expired; `now` in UTC ms. */
  verify(token: string, now: number): AccessClaims | undefined {
    if (token.length > charactersMax) return undefined
    const [head, body, signature, ...rest] = token.split('.')
    if (head !== header || body === undefined || signature === undefined || rest.length > 0) return undefined
    const given = Buffer.from(signature, 'base64url')
    const right = this.#signature(body)
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    // only now: what is read was signed by this installation
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as AccessClaims & {
      readonly iss: string
    }
    return claims.iss === issuer && claims.exp * 1000 > now ? claims : undefined
  }

  #signature(body: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${header}.${body}`).digest()
  }
}
