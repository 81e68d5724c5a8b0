import { LineCache, LineReader } from '../src/sources/line-protocol.ts'
import { nanosOf } from '../src/sources/line-protocol-time.ts'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { runLoad } from './load/run.ts'
import { type HttpLoad, layoutOn, messageOf } from './load/spec.ts'
import { startInfluxPeer } from './peers/influx.ts'
import { influxHttp } from './peers/influx-http.ts'
import { median, type Report, round } from './report.ts'

/**
 * Line protocol: how fast it is read, beside JSON.parse on the same readings, and how fast it is taken over HTTP, beside
 * InfluxDB and beside JSON, turn about in the same run.
 */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const rounds = isQuick ? 1 : 3
  reading(report, rounds * 3)
  await overHttp(report, rounds)
}

const points = 200_000

/** Points of a second of wall time and of processor time, the best round: the others share the machine. */
function reading(report: Report, rounds: number): void {
  const layout = layoutOn(points, 'p-', 1000)
  const rows = Array.from({ length: points }, (_, index) =>
    messageOf({ ...layout, prepared: points }, 0, index),
  )
  const lines = rows.map(
    ({ device, metric, room, unit, value, at }) =>
      `reading,device=${device},metric=${metric},room=${room},unit=${unit} value=${value} ${at}`,
  )
  const text = Buffer.from(lines.join('\n'))
  const json = JSON.stringify(rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })))
  const cache = new LineCache()
  const ours = bestOf(rounds, () => {
    const reader = new LineReader(text, nanosOf('ms') ?? 1, cache)
    let count = 0
    for (let entry = reader.next(); entry; entry = reader.next()) if (entry.kind === 'point') count++
    if (count !== points) throw new Error(`read ${count} of ${points} points`)
  })
  const peer = bestOf(rounds, () => JSON.parse(json))
  report({
    ...{ bench: 'line-protocol', name: 'reading, 1,000 series', value: round(points / ours.seconds) },
    ...{ unit: 'points/s', target: 1_000_000, ratio: round(peer.seconds / ours.seconds) },
    note: `best of ${rounds} rounds, ${Math.round(text.length / points)} bytes a point; ${round(points / ours.cpuSeconds)} points per second of processor time; ratio: to JSON.parse of the same readings`,
  })
}

function bestOf(rounds: number, work: () => void): { readonly seconds: number; readonly cpuSeconds: number } {
  let [seconds, cpuSeconds] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round++) {
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    work()
    const { user, system } = process.cpuUsage(cpu)
    seconds = Math.min(seconds, (performance.now() - start) / 1000)
    cpuSeconds = Math.min(cpuSeconds, (user + system) / 1e6)
  }
  return { seconds, cpuSeconds }
}

const batches = { batch: 5000, connections: 8, requests: 160 }

async function overHttp(report: Report, rounds: number): Promise<void> {
  const stops: (() => Promise<void>)[] = []
  try {
    const influx = await startInfluxPeer()
    stops.push(influx.stop)
    const hub = await startHub()
    stops.push(hub.stop)
    const rates = { influx: [] as number[], line: [] as number[], json: [] as number[] }
    const cpu = { line: [] as number[], json: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      rates.influx.push((await influxHttp(influx, batches)).rate)
      for (const format of ['line', 'json'] as const) {
        const before = cpuSecondsOf([hub.pid])
        rates[format].push(await hubHttp(hub, format))
        cpu[format].push(((cpuSecondsOf([hub.pid]) - before) / (batches.batch * batches.requests)) * 1e6)
      }
    }
    const common = { bench: 'line-protocol', unit: 'points/s' }
    const rate = round(median(rates.line))
    const told = `median of ${rounds} rounds; ${round(median(cpu.line))} us of processor time a point`
    const ratio = (peer: readonly number[]): number => round(median(rates.line) / median(peer))
    report({ ...common, name: 'peer: InfluxDB, batches of 5,000', value: round(median(rates.influx)) })
    report({
      ...{ ...common, name: 'POST /write, batches of 5,000, beside InfluxDB', value: rate },
      ...{ target: round(median(rates.influx) / 4), ratio: ratio(rates.influx), note: told },
    })
    report({
      ...{
        ...common,
        name: 'POST /write, batches of 5,000, beside JSON',
        value: rate,
        ratio: ratio(rates.json),
      },
      note: `JSON: ${round(median(rates.json))} readings/s, ${round(median(cpu.json))} us of processor time a reading`,
    })
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

async function hubHttp(hub: HubProcess, format: HttpLoad['format']): Promise<number> {
  const perConnection = Math.floor(batches.requests / batches.connections) * batches.batch
  const result = await runLoad({
    ...{ kind: 'http', port: hub.port, format, headers: {}, maxSeconds: 120 },
    path: format === 'line' ? '/write?db=home&precision=ms' : '/api/v1/readings',
    ...layoutOn(perConnection, `${format}-`, Math.floor(1000 / batches.connections)),
    ...batches,
  })
  if (result.acknowledged < result.sent) throw new Error(`the hub refused: ${result.complaint}`)
  return result.rate
}
