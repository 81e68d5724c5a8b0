import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { setImmediate as pause } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { HomeostatError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Hub } from './hub.ts'
import { JsonScan, parseScanned } from './json.ts'

/** Shorter bodies are parsed at once. */
export const largeBytes = 64 * 1024

/** Values that one row of a list of readings may have. */
const valuesPerRow = 64

/** Values of any other body: a schema looks at each of them in one go. */
const schemaValuesMax = 100_000

type GateLimits = Pick<Hub['limits'], 'bodyBytes' | 'bodiesBytes' | 'batchReadings' | 'inboxReadings'>

/**
 * Reads and parses JSON bodies. All that arrive, and those that wait, share one budget of bytes. Large ones are parsed one
 * after the other, each when the pump has room: parsed readings take several times the memory of their text.
 *
 * A key such as `__proto__` becomes an own property here and is never copied: handlers read named fields.
 */
export class BodyGate {
  readonly #engine: Pick<Engine, 'room'>
  readonly #limits: GateLimits
  #heldBytes = 0
  readonly #leases = new WeakMap<FastifyRequest, Lease>()
  #last: Promise<void> = Promise.resolve()

  constructor(engine: Pick<Engine, 'room'>, limits: GateLimits) {
    this.#engine = engine
    this.#limits = limits
  }

  /**
   * Rejects with `request_invalid` for a body that is not JSON in UTF-8, `body_too_large`, `body_too_complex`, and
   * `bodies_too_large` while all bodies together would take too much.
   */
  async read(request: FastifyRequest, payload: Readable): Promise<unknown> {
    const lease = { bytes: 0 }
    try {
      const scan = this.#scanOf(request.routeOptions.config.gated?.bodyCheckedBy === 'handler')
      const body = await this.#arrived(payload, this.#limitOf(request), lease, scan)
      requireUtf8(body)
      return body.length > largeBytes ? await this.enter(() => parse(body, scan)) : await parse(body, scan)
    } finally {
      this.#heldBytes -= lease.bytes
    }
  }

  /**
   * A body of another form, as it came. Its bytes count against the budget until `release`. Rejects with
   * `body_too_large` and `bodies_too_large`.
   */
  async readBytes(request: FastifyRequest, payload: Readable): Promise<Buffer> {
    const lease = { bytes: 0 }
    this.#leases.set(request, lease)
    return this.#arrived(payload, this.#limitOf(request), lease)
  }

  /** The request is over: its bytes count no longer. */
  release(request: FastifyRequest): void {
    const lease = this.#leases.get(request)
    if (!lease) return
    this.#heldBytes -= lease.bytes
    this.#leases.delete(request)
  }

  /** The JSON of a frame with readings, whose length is bounded; as strict as `read`. */
  async parseFrame(frame: Buffer): Promise<unknown> {
    const scan = this.#scanOf(true)
    scan.add(frame)
    requireUtf8(frame)
    return parse(frame, scan)
  }

  /** Runs `work` on a large body after those that came before it, when the pump has room for its rows. */
  async enter<Result>(work: () => Result | Promise<Result>): Promise<Result> {
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
      // the rows must be in the inbox before the next one looks for room
      setImmediate(leave)
    }
  }

  #scanOf(isRows: boolean): JsonScan {
    return new JsonScan(isRows ? this.#limits.batchReadings * valuesPerRow : schemaValuesMax)
  }

  #limitOf({ routeOptions }: FastifyRequest): number {
    return routeOptions.bodyLimit ?? this.#limits.bodyBytes
  }

  async #arrived(payload: Readable, limit: number, lease: Lease, scan?: JsonScan): Promise<Buffer> {
    const pieces: Buffer[] = []
    for await (const piece of piecesOf(payload)) {
      lease.bytes += piece.length
      this.#heldBytes += piece.length
      if (lease.bytes > limit) throw new HomeostatError('body_too_large', { limit })
      const { bodiesBytes } = this.#limits
      if (this.#heldBytes > bodiesBytes) throw new HomeostatError('bodies_too_large', { limit: bodiesBytes })
      scan?.add(piece)
      pieces.push(piece)
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}

/** What a request holds of the budget. */
interface Lease {
  bytes: number
}

function requireUtf8(body: Buffer): void {
  if (!isUtf8(body))
    throw new HomeostatError('request_invalid', { detail: 'the body is not UTF-8 throughout' })
}

/** The stream stays whole where its reader stops: the answer still has to leave by its connection. */
async function* piecesOf(payload: Readable): AsyncGenerator<Buffer> {
  try {
    yield* payload.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>
  } catch (error) {
    throw new HomeostatError('request_invalid', { detail: 'the body did not arrive as a whole' }, error)
  }
}

async function parse(body: Buffer, scan: JsonScan): Promise<unknown> {
  try {
    return body.length > largeBytes
      ? await parseScanned(body, scan, pause)
      : JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw asProblem(error)
  }
}

function asProblem(error: unknown): unknown {
  if (!(error instanceof SyntaxError)) return error
  return new HomeostatError('request_invalid', { detail: `the body is not JSON: ${error.message}` })
}
