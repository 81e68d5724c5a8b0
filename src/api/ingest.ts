import type { FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import type { z } from 'zod'
import { type IngestMessage, ingestQuery, ingestRoutes } from '../contract/ingest.ts'
import type { Caller } from '../contract/route.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import { isStillValid } from './auth.ts'
import type { BodyGate } from './body-gate.ts'
import type { Hub } from './hub.ts'
import { type Mount, policyViolation, tryAgainLater } from './mount.ts'
import { inReach, readingsOf } from './routes/readings.ts'

/** How long a client whose right ended may stay connected in silence. */
const sweepMs = 2000

/** What a frame costs beside its bytes, so that many small ones are bounded, too. */
const frameOverheadBytes = 512

/** Readings over a WebSocket: each frame is answered with a receipt, in order, once it is on disk. */
export async function registerIngest(
  scope: FastifyInstance,
  hub: Hub,
  mount: Mount,
  bodies: BodyGate,
): Promise<void> {
  const clients = new Set<IngestClient>()
  const sweep = setInterval(() => {
    for (const client of clients) client.endIfInvalid()
  }, sweepMs)
  scope.addHook('onClose', async () => clearInterval(sweep))
  mount.socket(scope, ingestRoutes.ingest, (socket, { caller, query }) => {
    const format = ingestQuery.safeParse(query)
    if (!format.success) {
      socket.close(policyViolation, format.error.issues[0]?.path.join('.').slice(0, 100) ?? 'invalid query')
      return
    }
    if (clients.size >= hub.limits.ingestClients) {
      socket.close(tryAgainLater, 'too many clients')
      return
    }
    const client = new IngestClient({ hub, socket, caller, bodies }, format.data)
    clients.add(client)
    socket.on('close', () => clients.delete(client))
    socket.on('message', (data) => client.take(bufferOf(data)))
  })
}

const bufferOf = (data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer =>
  Buffer.isBuffer(data) ? data : data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat(data)

interface IngestParts {
  readonly hub: Hub
  readonly socket: WebSocket
  readonly caller: Caller
  readonly bodies: BodyGate
}

/**
 * One connection. Frames are decoded one after the other, when the pump has room, and answered one after the other; in
 * between they are committed together. While more bytes are on their way than the limit, the socket is not read.
 */
class IngestClient {
  readonly #hub: Hub
  readonly #socket: WebSocket
  readonly #caller: Caller
  readonly #bodies: BodyGate
  readonly #format: z.infer<typeof ingestQuery>
  #frame = 0
  #pendingBytes = 0
  #decoding: Promise<unknown> = Promise.resolve()
  #answering: Promise<void> = Promise.resolve()

  constructor({ hub, socket, caller, bodies }: IngestParts, format: z.infer<typeof ingestQuery>) {
    this.#hub = hub
    this.#socket = socket
    this.#caller = caller
    this.#bodies = bodies
    this.#format = format
  }

  take(data: Buffer): void {
    if (this.endIfInvalid()) return
    const frame = ++this.#frame
    const bytes = data.length + frameOverheadBytes
    this.#pendingBytes += bytes
    if (this.#pendingBytes > this.#hub.limits.clientPendingBytes) this.#socket.pause()
    const handed = this.#decoding.then(() => this.#hand(data))
    this.#decoding = handed.catch(() => undefined)
    this.#answering = this.#answering.then(async () => {
      const message = await receiptOf(frame, handed)
      this.#pendingBytes -= bytes
      if (this.#pendingBytes <= this.#hub.limits.clientPendingBytes) this.#socket.resume()
      this.#send(message)
    })
  }

  /** Hands the rows of a frame in; `stored` settles with their commit. */
  async #hand(data: Buffer): Promise<{ readonly stored: Promise<Receipt> }> {
    const { engine, push, defaultSite } = this.#hub
    await engine.room('push')
    // a client that is gone is told nothing, and sends the frame again
    if (this.#socket.readyState !== this.#socket.OPEN) throw new HomeostatError('stopping')
    const rows = await this.#rowsOf(data)
    return { stored: push.take(inReach(rows, this.#caller, defaultSite)) }
  }

  async #rowsOf(data: Buffer): Promise<readonly RawReading[]> {
    const { format, bucket, precision } = this.#format
    if (format === 'json') return readingsOf(this.#hub, await this.#bodies.parseFrame(data))
    const { batchReadings } = this.#hub.limits
    const body = { database: bucket, precision, rowsMax: batchReadings, sites: this.#caller.sites }
    const [first, ...others] = this.#hub.influx.read(data, body)
    const got = others.reduce((sum, { rows }) => sum + rows.length, first?.rows.length ?? 0)
    if (got > batchReadings) throw new HomeostatError('batch_too_large', { limit: batchReadings, got })
    return first?.rows ?? []
  }

  #send(message: IngestMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > this.#hub.limits.clientBufferBytes) this.#socket.terminate()
    else if (!this.endIfInvalid()) this.#socket.send(JSON.stringify(message))
  }

  /** Ends the connection of a key that was revoked, or of a session that has ended. */
  endIfInvalid(): boolean {
    if (isStillValid(this.#caller, this.#hub)) return false
    const what = this.#caller.kind === 'key' ? 'the API key was revoked' : 'the session has ended'
    this.#socket.close(policyViolation, what)
    return true
  }
}

async function receiptOf(
  frame: number,
  handed: Promise<{ readonly stored: Promise<Receipt> }>,
): Promise<IngestMessage> {
  try {
    const { stored } = await handed
    const { accepted, rejected } = await stored
    return {
      ...{ type: 'receipt', frame, accepted },
      rejected: rejected.map(({ index, problem: { code, message } }) => ({ index, code, message })),
    }
  } catch (error) {
    const known =
      error instanceof HomeostatError ? error : new HomeostatError('internal', { reference: String(error) })
    return { type: 'error', frame, code: known.code, message: known.message }
  }
}
