import { closeSync, openSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import { connectPacket, disconnectPacket, encodePackets, fill } from './packets.ts'
import type { LoadResult, MqttLoad } from './spec.ts'
import { Stamp } from './stamp.ts'

/** Messages written with one call at QoS 0. */
const blockMessages = 256

/** All clients on one loop. Resolves when all is acknowledged, the server has closed, or the time is up. */
export async function loadMqtt(load: MqttLoad): Promise<LoadResult> {
  const log = load.ackLog === undefined ? undefined : openSync(load.ackLog, 'a')
  const clients = Array.from({ length: load.clients }, (_, number) => new Client(load, number, log))
  try {
    await Promise.all(clients.map((client) => client.connect()))
    const startedAt = wallNow()
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const timer = setTimeout(() => {
      for (const client of clients) client.cut('the time is up')
    }, load.maxSeconds * 1000)
    await Promise.all(clients.map((client) => client.run()))
    clearTimeout(timer)
    const [seconds, cpuSeconds] = [(performance.now() - start) / 1000, cpuSecondsSince(cpu)]
    const acknowledged = sum(clients.map((client) => client.acknowledged))
    const complaint = clients.map((client) => client.complaint).find((text) => text !== '') ?? ''
    const sent = sum(clients.map((client) => client.sent))
    const rate = acknowledged / seconds
    const none = { p50Ms: 0, p99Ms: 0, statuses: {} }
    return {
      sent,
      acknowledged,
      seconds,
      rate,
      startedAt,
      cpuSeconds,
      ...none,
      complaint,
      cut: complaint !== '',
    }
  } finally {
    for (const client of clients) client.close()
    if (log !== undefined) closeSync(log)
  }
}

class Client {
  sent = 0
  acknowledged = 0
  complaint = ''
  readonly #load: MqttLoad
  readonly #number: number
  readonly #share: number
  readonly #log: number | undefined
  readonly #packets
  readonly #stamp = new Stamp()
  readonly #socket: Socket
  /** k of the message that a packet identifier stands for. */
  readonly #sentAs = new Float64Array(65_536)
  #rest: Buffer = Buffer.alloc(0)
  #done: () => void = () => {}
  #startMs = Number.NaN

  constructor(load: MqttLoad, number: number, log: number | undefined) {
    this.#load = load
    this.#number = number
    this.#log = log
    this.#share = Math.floor(load.count / load.clients)
    this.#packets = encodePackets(load, number, load.qos, load.badEvery)
    this.#socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true })
  }

  /** Resolves with the broker's CONNACK. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.write(connectPacket(`load-${this.#load.prefix}${this.#number}-${process.pid}`))
      this.#socket.once('data', (chunk) => {
        this.#socket.off('error', reject)
        if (chunk[0] === 0x20 && chunk[3] === 0) resolve()
        else reject(new Error(`the broker refused: CONNACK ${chunk.toString('hex')}`))
      })
    })
  }

  async run(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve
    })
    this.#socket.on('error', (error) => this.cut(error.message))
    this.#socket.on('close', () => this.#finish('the broker closed the connection'))
    if (this.#load.qos === 0) await Promise.race([this.#pour(), done])
    else {
      this.#socket.on('data', (chunk) => this.#onData(chunk))
      this.#startMs = performance.now()
      const pace = this.#load.perSecond === undefined ? undefined : setInterval(() => this.#send(), 1)
      this.#send()
      await done
      clearInterval(pace)
    }
  }

  cut(why: string): void {
    this.#finish(why)
    this.#socket.destroy()
  }

  close(): void {
    this.#socket.destroy()
  }

  #finish(why: string): void {
    const complete = this.acknowledged >= this.#share
    if (!complete && this.complaint === '') this.complaint = why
    this.#done()
  }

  /** QoS 0: as fast as the socket takes it; a client counts as done when its bytes have left. */
  async #pour(): Promise<void> {
    while (this.sent < this.#share && !this.#socket.destroyed) {
      const n = this.#until(blockMessages)
      const flowing = this.#socket.write(fill(this.#packets, this.#load, this.sent, n, this.#stamp))
      this.sent += n
      if (!flowing) await this.#drained()
    }
    await new Promise<void>((resolve) => this.#socket.write(disconnectPacket, () => resolve()))
    if (this.#socket.destroyed) return
    this.acknowledged = this.sent
    this.#socket.end()
    // an end without reset: what lies in the broker's buffer is read
    await Promise.race([
      new Promise((resolve) => this.#socket.once('close', resolve)),
      sleep(5000, null, { ref: false }),
    ])
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#socket.off('drain', go).off('close', go)
        resolve()
      }
      this.#socket.on('drain', go).on('close', go)
    })
  }

  /** QoS 1: keeps the window full; waits while the socket's own buffer is. */
  #send(): void {
    while (this.sent < this.#share && !this.#socket.writableNeedDrain) {
      const free = Math.min(this.#load.window - (this.sent - this.acknowledged), this.#due() - this.sent)
      if (free <= 0) return
      const n = this.#until(free)
      for (let i = 0; i < n; i++) this.#sentAs[((this.sent + i) % 65_535) + 1] = this.sent + i
      this.#socket.write(fill(this.#packets, this.#load, this.sent, n, this.#stamp))
      this.sent += n
    }
    if (this.sent < this.#share && this.#socket.listenerCount('drain') === 0) {
      this.#socket.once('drain', () => this.#send())
    }
  }

  /** Messages that this client should have sent by now. */
  #due(): number {
    const { perSecond, clients } = this.#load
    if (perSecond === undefined) return this.#share
    return Math.floor(((performance.now() - this.#startMs) / 1000) * (perSecond / clients))
  }

  #until(wanted: number): number {
    const toEnd = this.#load.prepared - (this.sent % this.#load.prepared)
    return Math.min(wanted, toEnd, this.#share - this.sent)
  }

  /** The broker sends PUBACK (40 02 id id) and nothing else. */
  #onData(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const whole = bytes.length - (bytes.length % 4)
    let lines = ''
    for (let i = 0; i < whole; i += 4) {
      if (bytes[i] !== 0x40) {
        this.cut(`unexpected packet ${bytes.toString('hex', i, i + 4)}`)
        return
      }
      if (this.#log !== undefined) {
        lines += `${this.#number} ${this.#sentAs[(bytes[i + 2]! << 8) | bytes[i + 3]!]}\n`
      }
    }
    if (this.#log !== undefined && lines !== '') writeSync(this.#log, lines)
    this.acknowledged += whole / 4
    this.#rest = bytes.subarray(whole)
    if (this.acknowledged >= this.#share) this.#finish('')
    else this.#send()
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

serveLoad('mqtt', loadMqtt)
