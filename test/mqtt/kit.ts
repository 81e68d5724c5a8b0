import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type Packet, parser } from 'mqtt-packet'
import type { Log, Receipt, SourceAdapter } from '../../src/core/ports.ts'
import type { RawReading } from '../../src/core/reading.ts'

/** What a test opened; closed by `closeAll`, the last first. */
const opened: (() => unknown)[] = []

export async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

export function atEnd(close: () => unknown): void {
  opened.push(close)
}

/** An emit that stores in an array; held, it answers nothing until it is released or made to fail. */
export class Intake {
  readonly rows: RawReading[] = []
  batches = 0
  /** Rows of all batches, answered or not. */
  offered = 0
  /** Batches that wait for an answer. */
  waiting = 0
  #held: Promise<void> | undefined
  #release = (): void => undefined
  #failures = 0

  readonly emit = async (batch: readonly RawReading[]): Promise<Receipt> => {
    this.batches++
    this.offered += batch.length
    this.waiting++
    await this.#held
    this.waiting--
    if (this.#failures > 0) {
      this.#failures--
      throw new Error('the disk is full')
    }
    this.rows.push(...batch)
    return { accepted: batch.length, rejected: [] }
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }

  failNext(batches = 1): void {
    this.#failures = batches
  }

  get values(): unknown[] {
    return this.rows.map(({ value }) => value)
  }
}

/** A log that keeps what was said. */
export function keptLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const keep = (message: string, fields?: unknown): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  }
  return { log: { info: keep, warn: keep, error: keep }, lines }
}

export interface Running {
  /** Aborts and waits until the source has ended. */
  stop(): Promise<void>
  abort(): void
  readonly ended: Promise<void>
}

export function start(source: SourceAdapter, intake: Intake): Running {
  const controller = new AbortController()
  const ended = source.run(intake.emit, controller.signal)
  ended.catch(() => undefined)
  const abort = (): void => controller.abort()
  const stop = (): Promise<void> => {
    intake.release()
    abort()
    return ended
  }
  atEnd(() => stop().catch(() => undefined))
  return { stop, abort, ended }
}

/** Resolves when `check` holds; says what it waited for where it never does. */
export async function until(what: string, check: () => boolean, limitMs = 8000): Promise<void> {
  const end = performance.now() + limitMs
  while (!check()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A client of the library, which does not connect again unless it is told to. */
export async function client(port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const made = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
  made.on('error', () => undefined)
  atEnd(() => made.endAsync(true))
  return made
}

/** A client of which every byte is in the hands of the test. */
export interface RawClient {
  readonly socket: Socket
  readonly packets: Packet[]
  /** Bytes as they are, or packets. */
  send(...what: readonly (Packet | Uint8Array)[]): void
  /** The first packet of this kind that came and was not asked for yet. */
  next(cmd: Packet['cmd']): Promise<Packet>
  readonly closed: boolean
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connectTcp({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  atEnd(() => socket.destroy())
  await once(socket, 'connect')
  const packets: Packet[] = []
  const reader = parser()
  reader.on('packet', (packet: Packet) => packets.push(packet))
  socket.on('data', (chunk) => reader.parse(chunk))
  let closed = false
  socket.on('close', () => {
    closed = true
  })
  return {
    socket,
    packets,
    send(...what) {
      const bytes = what.map((one) => (one instanceof Uint8Array ? one : generate(one)))
      socket.write(Buffer.concat(bytes))
    },
    async next(cmd) {
      await until(`${cmd} comes`, () => packets.some((packet) => packet.cmd === cmd))
      return packets.splice(
        packets.findIndex((packet) => packet.cmd === cmd),
        1,
      )[0]!
    },
    get closed() {
      return closed
    },
  }
}

export const connectPacket = (clientId: string, more: object = {}): Packet => ({
  ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 60 },
  ...more,
})

export const publishPacket = (
  topic: string,
  payload: string | Buffer,
  qos: 0 | 1 | 2 = 0,
  messageId = 1,
): Packet => ({
  ...{ cmd: 'publish', topic, payload, qos, dup: false, retain: false },
  ...(qos > 0 ? { messageId } : {}),
})
