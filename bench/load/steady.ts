import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../report.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import type { LoadResult, SteadyLoad } from './spec.ts'

/**
 * Requests at a steady rate, however long the answers take: a latency counts from the moment when its request was due,
 * so a server that stands still is not spared the requests that would have come meanwhile (Gil Tene's coordinated
 * omission). The first second warms up: checked, but not timed.
 */
export async function loadSteady(load: SteadyLoad): Promise<LoadResult> {
  const count = Math.round(load.perSecond * load.seconds)
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections })
  const tally: Tally = { latencies: [], statuses: {}, byVersion: {}, right: 0, complaint: '' }
  const startedAt = wallNow()
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const limit = setTimeout(() => agent.destroy(), load.maxSeconds * 1000)
  const answers: Promise<void>[] = []
  while (answers.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - start) / 1000) * load.perSecond))
    for (let k = answers.length; k < due; k++) {
      const dueMs = start + (k / load.perSecond) * 1000
      answers.push(ask(load, agent, k, tally).then(() => time(load, k, performance.now() - dueMs, tally)))
    }
    await sleep(1)
  }
  await Promise.all(answers)
  clearTimeout(limit)
  agent.destroy()
  const seconds = (performance.now() - start) / 1000
  const { latencies, right, ...told } = tally
  return {
    ...{ sent: count, acknowledged: right, seconds, rate: right / seconds, startedAt, ...told },
    ...{ p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) },
    ...{ cpuSeconds: cpuSecondsSince(cpu), cut: right < count },
  }
}

interface Tally {
  readonly latencies: number[]
  readonly statuses: Record<string, number>
  readonly byVersion: Record<string, number>
  /** Answers that are 2xx and, where it is known what they must say, say it. */
  right: number
  complaint: string
}

function time(load: SteadyLoad, k: number, ms: number, { latencies }: Tally): void {
  if (k >= load.perSecond) latencies.push(ms)
}

async function ask(load: SteadyLoad, agent: Agent, k: number, tally: Tally): Promise<void> {
  const place = k % load.bodies.length
  try {
    const { status, text } = await post(load, agent, load.bodies[place]!)
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1
    const wrong = status >= 200 && status < 300 ? wrongIn(load, place, text, tally) : text
    if (wrong === undefined) tally.right++
    else tally.complaint ||= wrong
  } catch (error) {
    tally.complaint ||= String(error)
  }
}

/** What is wrong with an answer; bit for bit, since JSON gives back every number as it was. */
function wrongIn({ expected }: SteadyLoad, place: number, text: string, tally: Tally): string | undefined {
  if (expected === undefined) return undefined
  // the shape of POST /api/v1/predict; another one fails below
  const { model, predictions } = JSON.parse(text) as { model: { version: string }; predictions: number[] }
  tally.byVersion[model.version] = (tally.byVersion[model.version] ?? 0) + 1
  const wanted = expected[model.version]?.[place]
  const isSame =
    wanted?.length === predictions.length &&
    wanted.every((value, index) => Object.is(value, predictions[index]))
  return isSame ? undefined : `body ${place}: ${text} where it must say ${JSON.stringify(wanted)}`
}

function post(
  load: SteadyLoad,
  agent: Agent,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const options = { host: '127.0.0.1', port: load.port, path: load.path, method: 'POST', agent, headers }
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

serveLoad('steady', loadSteady)
