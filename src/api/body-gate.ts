import { HomeostatError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Hub } from './hub.ts'

/** Shorter bodies are parsed at once. */
export const largeBytes = 64 * 1024

/** Large bodies that may wait, in lengths of the longest one. */
const waitingBodies = 4

/**
 * Parses JSON bodies; large ones one after the other, each when the pump has room. Parsed readings take several times the
 * memory of their text, so bodies that wait are kept as text.
 *
 * A key such as `__proto__` becomes an own property here and is never copied: handlers read named fields.
 */
export class BodyGate {
  readonly #engine: Pick<Engine, 'room'>
  readonly #limits: Pick<Hub['limits'], 'bodyBytes' | 'inboxReadings'>
  #waitingBytes = 0
  #last: Promise<void> = Promise.resolve()

  constructor(engine: Pick<Engine, 'room'>, limits: Pick<Hub['limits'], 'bodyBytes' | 'inboxReadings'>) {
    this.#engine = engine
    this.#limits = limits
  }

  /** Gives `request_invalid` for a body that is not JSON, and `overloaded` when too many bytes wait. */
  parse(body: Buffer, done: (error: Error | null, parsed?: unknown) => void): void {
    if (body.length > largeBytes) {
      this.enter(body.length, () => parseJson(body)).then((parsed) => done(null, parsed), done)
      return
    }
    let parsed: unknown
    try {
      parsed = parseJson(body)
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
      return
    }
    done(null, parsed)
  }

  /**
   * Runs `work` on a body of so many bytes after those that came before it, when the pump has room for its rows. Rejects
   * with `overloaded` when too many bytes wait.
   */
  async enter<Result>(bytes: number, work: () => Result | Promise<Result>): Promise<Result> {
    if (this.#waitingBytes + bytes > waitingBodies * this.#limits.bodyBytes) {
      throw new HomeostatError('overloaded', { limit: this.#limits.inboxReadings })
    }
    this.#waitingBytes += bytes
    const before = this.#last
    let leave = (): void => undefined
    this.#last = new Promise((resolve) => {
      leave = resolve
    })
    try {
      await before
      await this.#engine.room('push')
      return await work()
    } finally {
      this.#waitingBytes -= bytes
      // the rows must be in the inbox before the next one looks for room
      setImmediate(leave)
    }
  }
}

/** Throws `request_invalid` for what is not JSON. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new HomeostatError('request_invalid', { detail: `the body is not JSON: ${detail}` })
  }
}
