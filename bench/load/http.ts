import { closeSync, openSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { quantile } from '../report.ts'
import { encodeRequests, type Request, stampRequest } from './bodies.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import type { HttpLoad, LoadResult } from './spec.ts'
import { Stamp } from './stamp.ts'

/** All connections on one loop, each with one request on its way. */
export async function loadHttp(load: HttpLoad): Promise<LoadResult> {
  const log = load.ackLog === undefined ? undefined : openSync(load.ackLog, 'a')
  const tally: Tally = { latencies: [], statuses: {}, complaint: '' }
  const connections = Array.from(
    { length: load.connections },
    (_, number) => new Connection(load, number, tally, log),
  )
  try {
    await Promise.all(connections.map((connection) => connection.connect()))
    const startedAt = wallNow()
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const timer = setTimeout(() => {
      for (const connection of connections) connection.cut('the time is up')
    }, load.maxSeconds * 1000)
    await Promise.all(connections.map((connection) => connection.run()))
    clearTimeout(timer)
    const [seconds, cpuSeconds] = [(performance.now() - start) / 1000, cpuSecondsSince(cpu)]
    const acknowledged = connections.reduce((sum, { accepted }) => sum + accepted * load.batch, 0)
    const sent = connections.reduce((sum, connection) => sum + connection.sent * load.batch, 0)
    return {
      sent,
      acknowledged,
      seconds,
      rate: acknowledged / seconds,
      startedAt,
      p50Ms: quantile(tally.latencies, 0.5),
      p99Ms: quantile(tally.latencies, 0.99),
      statuses: tally.statuses,
      complaint: tally.complaint,
      cpuSeconds,
      cut: connections.some(({ answered }) => answered < Math.floor(load.requests / load.connections)),
    }
  } finally {
    for (const connection of connections) connection.close()
    if (log !== undefined) closeSync(log)
  }
}

interface Tally {
  readonly latencies: number[]
  readonly statuses: Record<string, number>
  complaint: string
}

class Connection {
  sent = 0
  answered = 0
  /** Requests answered with 2xx. */
  accepted = 0
  readonly #load: HttpLoad
  readonly #number: number
  readonly #share: number
  readonly #tally: Tally
  readonly #log: number | undefined
  readonly #requests: readonly Request[]
  readonly #stamp = new Stamp()
  readonly #socket: Socket
  #sentAt = 0
  #answer: Buffer = Buffer.alloc(0)
  #done: () => void = () => {}

  constructor(load: HttpLoad, number: number, tally: Tally, log: number | undefined) {
    this.#load = load
    this.#number = number
    this.#tally = tally
    this.#log = log
    this.#share = Math.floor(load.requests / load.connections)
    this.#requests = encodeRequests(load, number)
    this.#socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true })
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.once('connect', () => {
        this.#socket.off('error', reject)
        resolve()
      })
    })
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve
      this.#socket.on('error', (error) => this.cut(error.message))
      this.#socket.on('close', () => this.cut('the server closed the connection'))
      this.#socket.on('data', (chunk) => this.#onData(chunk))
      this.#ask()
    })
  }

  cut(why: string): void {
    if (this.answered < this.#share && this.#tally.complaint === '') this.#tally.complaint = why
    this.#socket.destroy()
    this.#done()
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(): void {
    const request = this.#requests[this.sent % this.#requests.length]!
    // the answer to the last use has come, so nobody reads these bytes any more
    stampRequest(this.#load, request, this.sent * this.#load.batch, this.#stamp)
    this.sent++
    this.#sentAt = performance.now()
    this.#socket.write(request.bytes)
  }

  #onData(chunk: Buffer): void {
    this.#answer = this.#answer.length === 0 ? chunk : Buffer.concat([this.#answer, chunk])
    const status = completeAnswer(this.#answer)
    if (status === undefined) return
    this.#tally.latencies.push(performance.now() - this.#sentAt)
    this.#tally.statuses[status] = (this.#tally.statuses[status] ?? 0) + 1
    const good = status >= 200 && status < 300
    if (good) this.#acknowledge()
    else if (this.#tally.complaint === '') this.#tally.complaint = this.#answer.toString('utf8', 0, 2000)
    this.#answer = Buffer.alloc(0)
    this.answered++
    if (this.answered < this.#share) this.#ask()
    else this.#done()
  }

  #acknowledge(): void {
    this.accepted++
    if (this.#log === undefined) return
    let lines = ''
    const end = this.sent * this.#load.batch
    for (let k = end - this.#load.batch; k < end; k++) lines += `${this.#number} ${k}\n`
    writeSync(this.#log, lines)
  }
}

/** The status of an answer that has come whole; undefined while a part is missing. */
export function completeAnswer(answer: Buffer): number | undefined {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = answer.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  if (status === 204 || status === 304) return status
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length) ? status : undefined
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    return answer.subarray(headEnd).toString('latin1').endsWith('\r\n0\r\n\r\n') ? status : undefined
  }
  return status
}

serveLoad('http', loadHttp)
