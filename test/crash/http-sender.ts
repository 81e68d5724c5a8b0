import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { LiveMessage } from '../../src/contract/live.ts'
import type { HubProcess } from '../servers/hub.ts'

interface Row {
  readonly device: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly at: number
}

/** What the hub answered. */
export interface Answer {
  readonly status: number
  readonly body: { readonly code?: string; readonly detail?: string }
}

const batchRows = 2000
const devices = 50

/** Sends numbered readings over HTTP and remembers which were acknowledged. The value of a reading is its number. */
export class HttpSender {
  readonly #acknowledged = new Set<number>()
  readonly #baseAt: number
  #newest = -1
  #next = 0

  /** `baseAt`: timestamp of the first reading, UTC ms; each is a millisecond later. */
  constructor(baseAt: number) {
    this.#baseAt = baseAt
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  /** One batch. */
  async send(hub: HubProcess): Promise<Answer> {
    const first = this.#next
    this.#next += batchRows
    const rows = Array.from({ length: batchRows }, (_, index) => this.#row(first + index))
    const answer = await post(hub, rows)
    if (answer.status === 200) {
      for (const { value } of rows) this.#acknowledged.add(value)
      this.#newest = this.#next - 1
    }
    return answer
  }

  /** Batches until one is not taken, which must come within so many; gives the refusal. */
  async sendUntilRefused(hub: HubProcess, most: number): Promise<Answer> {
    for (let batch = 0; batch < most; batch++) {
      const answer = await this.send(hub)
      if (answer.status !== 200) return answer
    }
    throw new Error(`All of ${most} batches were taken.`)
  }

  /** The newest reading that was acknowledged, as the hub answers it; undefined where it does not. */
  async readNewest({ url }: HubProcess): Promise<number | undefined> {
    const { device, at, value } = this.#row(this.#newest)
    const query = `device=${device}&metric=temperature&from=${at}&to=${at + 1}`
    const found = (await ask(`${url}/api/v1/readings?${query}`)) as { items: readonly Row[] }
    return found.items.length === 1 && found.items[0]!.value === value ? value : undefined
  }

  /** Compares with all that the hub has of these readings. */
  async compare({ url }: HubProcess): Promise<{ readonly lost: number; readonly twice: number }> {
    const found = new Set<number>()
    let twice = 0
    for (let cursor: string | null = ''; cursor !== null; ) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page = (await ask(`${url}/api/v1/readings?metric=temperature&limit=10000${more}`)) as {
        readonly items: readonly Row[]
        readonly next: string | null
      }
      for (const { value, at } of page.items) {
        if (found.has(value) || at !== this.#baseAt + value) twice++
        found.add(value)
      }
      cursor = page.next
    }
    const lost = [...this.#acknowledged].filter((value) => !found.has(value)).length
    return { lost, twice }
  }

  #row(number: number): Row {
    const device = `d${number % devices}`
    return { device, metric: 'temperature', value: number, unit: 'degC', at: this.#baseAt + number }
  }
}

/** Sends readings. */
export async function post({ url }: HubProcess, rows: readonly Row[]): Promise<Answer> {
  const response = await fetch(`${url}/api/v1/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rows),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

/** What a GET answers; rejects for anything but 200. */
export async function ask(url: string): Promise<unknown> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.json()
}

/** Sends a reading that breaks a rule; resolves when its alert has arrived on a WebSocket. `device`: a new one. */
export async function expectAlert(hub: HubProcess, device: string): Promise<Answer> {
  const socket = new WebSocket(`ws://127.0.0.1:${hub.port}/api/v1/live`)
  try {
    const alert = new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('The live channel was closed.')))
      socket.on('message', (data) => {
        const message = JSON.parse(String(data)) as LiveMessage
        if (message.type !== 'alerts') return
        if (message.alerts.some((one) => one.device === device)) resolve()
      })
    })
    await new Promise<void>((resolve) => socket.once('open', resolve))
    const answer = post(hub, [{ device, metric: 'co2', value: 2000, unit: 'ppm', at: Date.now() }])
    const limit = sleep(10_000).then(() => Promise.reject(new Error('No alert came within 10 s.')))
    await Promise.race([alert, limit])
    return await answer
  } finally {
    socket.terminate()
  }
}

/** A rule for `expectAlert`, as the configuration file has it. */
export const alertRule = 'rules: [{ name: stuffy, metric: co2, above: 1000, level: critical }]\n'
