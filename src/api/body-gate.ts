import { HomeostatError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Hub } from './hub.ts'

/** Shorter bodies are parsed at once. */
const largeBytes = 64 * 1024

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
      this.#parseLarge(body).then((parsed) => done(null, parsed), done)
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

  async #parseLarge(body: Buffer): Promise<unknown> {
    if (this.#waitingBytes + body.length > waitingBodies * this.#limits.bodyBytes) {
      throw new HomeostatError('overloaded', { limit: this.#limits.inboxReadings })
    }
    this.#waitingBytes += body.length
    const before = this.#last
    let leave = (): void => undefined
    this.#last = new Promise((resolve) => {
      leave = resolve
    })
    try {
      await before
      await this.#engine.room('push')
      return parseJson(body)
    } finally {
      this.#waitingBytes -= body.length
      // the rows must be in the inbox before the next one looks for room
      setImmediate(leave)
    }
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new HomeostatError('request_invalid', { detail: `the body is not JSON: ${detail}` })
  }
}
