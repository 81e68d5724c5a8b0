import { setTimeout as sleep } from 'node:timers/promises'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { cpuSecondsOf, untilAtRest } from './load/cpu.ts'
import { runLoad } from './load/run.ts'
import { type HttpLoad, type LoadResult, layoutOn, type MqttLoad } from './load/spec.ts'
import { type Influx, startInfluxPeer } from './peers/influx.ts'
import { influxHttp } from './peers/influx-http.ts'
import { type Chain, startChain } from './peers/mosquitto-telegraf-influx.ts'
import { type Figure, median, type Report, round } from './report.ts'

/**
 * Taking in: the hub beside what a user would glue together instead, turn about in the same run, since the machine
 * is never the same twice. All of it on one machine with the load generators. Each scene begins when the one before has
 * left nothing to do, on either side.
 */
export async function run(report: Report): Promise<void> {
  const stops: (() => Promise<void>)[] = []
  try {
    const chain = await startChain()
    if (!('reason' in chain)) stops.push(chain.stop)
    const influx = 'reason' in chain ? await startInfluxPeer() : chain.influx
    if ('reason' in chain) stops.push(influx.stop)
    const hub = await startHub()
    stops.push(hub.stop)
    const tally = new Tally()
    for (let i = 0; i < rounds; i++) await oneRound(hub, chain, influx, tally)
    tell(report, tally, 'reason' in chain ? chain.reason : undefined)
    await malformed(hub, report)
    const { most } = hub.memory()
    const note = `after the first MQTT ${tally.first('memory after MQTT')}, the first batches ${tally.first('memory after batches')}`
    report({
      bench: 'ingest',
      name: 'resident memory, most',
      value: round(most),
      unit: 'MB',
      target: 400,
      note,
    })
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
/** Messages of a client on their way; the same for hub and chain. */
const window = 500
const batches = { batch: 5000, connections: 8, requests: 160 }
const thousands = { batch: 1000, connections: 8, requests: 400 }
const singles = { batch: 1, connections: 64, requests: 32_000 }
const singlesOf8 = { batch: 1, connections: 8, requests: 16_000 }

async function oneRound(
  hub: HubProcess,
  chain: Chain | { reason: string },
  influx: Influx,
  tally: Tally,
): Promise<void> {
  const rest = (): Promise<void> => untilAtRest([hub.pid, influx.pid])
  await rest()
  await mqttRound(hub, 1, 200_000, tally)
  await rest()
  if (!('reason' in chain)) {
    const { stored, acknowledged, cpuUs } = await chain.measure(200_000, window)
    tally.add('chain cpu', cpuUs)
    tally.add('chain', stored)
    tally.add('chain acknowledged', acknowledged)
  }
  await rest()
  await mqttRound(hub, 0, 300_000, tally)
  tally.add('memory after MQTT', hub.memory().most)
  await rest()
  await httpRound('hub batches', hub.pid, () => hubHttp(hub, batches), tally)
  tally.add('memory after batches', hub.memory().most)
  await rest()
  await httpRound('influx batches', influx.pid, () => influxHttp(influx, batches), tally)
  await rest()
  await httpRound('influx batches of 1000', influx.pid, () => influxHttp(influx, thousands), tally)
  const turns = await hub.metric(turnsTotal)
  await rest()
  await httpRound('hub singles', hub.pid, () => hubHttp(hub, singles), tally)
  tally.add('hub singles a commit', singles.requests / ((await hub.metric(turnsTotal)) - turns))
  await rest()
  await httpRound('influx singles', influx.pid, () => influxHttp(influx, singles), tally)
  await rest()
  await httpRound('influx singles of 8', influx.pid, () => influxHttp(influx, singlesOf8), tally)
}

async function httpRound(
  name: string,
  pid: number,
  load: () => Promise<LoadResult>,
  tally: Tally,
): Promise<void> {
  const cpu = cpuSecondsOf([pid])
  const { rate, p99Ms, acknowledged } = await load()
  tally.add(name, rate)
  tally.add(`${name} p99`, p99Ms)
  tally.add(`${name} cpu`, ((cpuSecondsOf([pid]) - cpu) / acknowledged) * 1e6)
}

async function mqttRound(hub: HubProcess, qos: 0 | 1, count: number, tally: Tally): Promise<void> {
  const cpu = cpuSecondsOf([hub.pid])
  tally.add(`hub qos${qos}`, await mqttStored(hub, qos, count))
  tally.add(`hub qos${qos} cpu`, ((cpuSecondsOf([hub.pid]) - cpu) / count) * 1e6)
}

/** Figures by name over the rounds. */
class Tally {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), value])
  }

  median(name: string): number {
    return median(this.#values.get(name) ?? [])
  }

  first(name: string): number {
    return round(this.#values.get(name)?.[0] ?? Number.NaN)
  }

  /** Least and most, to say how far the rounds lay apart. */
  spread(name: string): string {
    const values = this.#values.get(name) ?? []
    return `${round(Math.min(...values))} to ${round(Math.max(...values))} in ${values.length} rounds`
  }
}

function tell(report: Report, tally: Tally, chainMissing: string | undefined): void {
  const figure = (name: string, of: string, unit: string, target?: number, peer?: string): void => {
    const ratio = peer === undefined ? Number.NaN : tally.median(of) / tally.median(peer)
    const line: Figure = {
      bench: 'ingest',
      name,
      value: round(tally.median(of)),
      unit,
      note: tally.spread(of),
    }
    report({
      ...line,
      ...(target === undefined ? {} : { target }),
      ...(Number.isFinite(ratio) ? { ratio: round(ratio) } : {}),
    })
  }
  if (chainMissing !== undefined) {
    report({ bench: 'ingest', name: 'chain', value: 0, unit: 'msg/s', note: chainMissing })
  } else {
    figure('peer: Mosquitto + Telegraf + InfluxDB, until stored', 'chain', 'msg/s')
    figure('peer: the same, processor time of the three', 'chain cpu', 'us/msg')
    figure('peer: the same, acknowledged by Mosquitto', 'chain acknowledged', 'msg/s')
  }
  figure('MQTT QoS 1, acknowledged after the commit', 'hub qos1', 'msg/s', 30_000, 'chain')
  figure('MQTT QoS 1, processor time of the hub', 'hub qos1 cpu', 'us/msg', undefined, 'chain cpu')
  figure('MQTT QoS 0, until stored', 'hub qos0', 'msg/s', 60_000, 'chain')
  figure('MQTT QoS 0, processor time of the hub', 'hub qos0 cpu', 'us/msg', undefined, 'chain cpu')
  figure('peer: InfluxDB, line protocol, batches of 5,000', 'influx batches', 'points/s')
  figure('peer: InfluxDB, line protocol, batches of 1,000', 'influx batches of 1000', 'points/s')
  figure('HTTP JSON, batches of 5,000', 'hub batches', 'readings/s', 150_000, 'influx batches')
  figure(
    'HTTP JSON, batches of 5,000, processor time',
    'hub batches cpu',
    'us',
    undefined,
    'influx batches cpu',
  )
  figure('peer: InfluxDB, one point a request, 8 connections', 'influx singles of 8', 'points/s')
  figure('peer: InfluxDB, one point a request, 64 connections', 'influx singles', 'points/s')
  const target = round(tally.median('influx singles'))
  figure(
    'HTTP JSON, one reading a request, 64 connections',
    'hub singles',
    'readings/s',
    target,
    'influx singles',
  )
  figure(
    'HTTP JSON, one reading a request, 64 connections, p99',
    'hub singles p99',
    'ms',
    undefined,
    'influx singles p99',
  )
  figure(
    'HTTP JSON, one reading a request, processor time',
    'hub singles cpu',
    'us',
    undefined,
    'influx singles cpu',
  )
}

/** Messages a second from the first byte until the hub counts the last as stored. */
async function mqttStored(hub: HubProcess, qos: 0 | 1, count: number): Promise<number> {
  const before = await hub.metric(storedTotal)
  const load: MqttLoad = { ...mqttLoad(hub, qos, count), badEvery: 0 }
  const result = await runLoad(load)
  if (result.cut) throw new Error(`hub, MQTT QoS ${qos}: ${result.complaint}`)
  const storedAt = await untilStored(hub, before + count)
  // at QoS 1 the last acknowledgement says it already; the counter is asked only to see that it is true
  return qos === 1 ? result.rate : (count / (storedAt - result.startedAt)) * 1000
}

const mqttLoad = (hub: HubProcess, qos: 0 | 1, count: number): Omit<MqttLoad, 'badEvery'> => ({
  kind: 'mqtt',
  port: hub.mqttPort,
  clients: 4,
  qos,
  count,
  window,
  maxSeconds: 60,
  ...layoutOn(count / 4, 'm-'),
})

const storedTotal = 'homeostat_readings_stored_total'
const turnsTotal = 'homeostat_turns_total'

/** The moment when the counter has risen so far; rejects when it stands still for 10 s, or goes beyond. */
async function untilStored(hub: HubProcess, readings: number): Promise<number> {
  let [seen, changed] = [-1, performance.now()]
  for (;;) {
    const now = await hub.metric(storedTotal)
    if (now > readings) throw new Error(`the hub counts ${now} readings as stored; ${readings} were sent`)
    if (now === readings) return performance.timeOrigin + performance.now()
    if (now > seen) [seen, changed] = [now, performance.now()]
    if (performance.now() - changed > 10_000)
      throw new Error(`the hub stays at ${now} of ${readings} readings`)
    await sleep(20)
  }
}

async function hubHttp(
  hub: HubProcess,
  load: Pick<HttpLoad, 'batch' | 'connections' | 'requests'>,
): Promise<LoadResult> {
  const before = await hub.metric(storedTotal)
  const perConnection = Math.floor(load.requests / load.connections) * load.batch
  const result = await runLoad({
    kind: 'http',
    port: hub.port,
    path: '/api/v1/readings',
    format: 'json',
    headers: {},
    maxSeconds: 60,
    ...layoutOn(perConnection, 'h-', Math.floor(1000 / load.connections)),
    ...load,
  })
  if (result.acknowledged < result.sent) throw new Error(`the hub refused: ${result.complaint}`)
  await untilStored(hub, before + result.sent)
  return result
}

/** 100,000 malformed messages between as many good ones. */
async function malformed(hub: HubProcess, report: Report): Promise<void> {
  const count = 200_000
  const before = { stored: await hub.metric(storedTotal), bad: await hub.metric(quarantinedTotal) }
  const memory = hub.memory().now
  const result = await runLoad({ ...mqttLoad(hub, 1, count), badEvery: 2 })
  if (result.cut) throw new Error(`hub, malformed: ${result.complaint}`)
  const stored = (await hub.metric(storedTotal)) - before.stored
  const bad = (await hub.metric(quarantinedTotal)) - before.bad
  const figure = (name: string, value: number, unit: string, more: Partial<Figure> = {}): void =>
    report({
      bench: 'ingest',
      name: `every second message malformed: ${name}`,
      value: round(value),
      unit,
      ...more,
    })
  figure('good ones stored', stored, 'readings', { target: count / 2 })
  figure('bad ones counted', bad, 'rows', { target: count / 2 })
  figure('acknowledged', result.rate, 'msg/s')
  figure('growth of resident memory', hub.memory().now - memory, 'MB', { note: `from ${round(memory)} MB` })
}

const quarantinedTotal = 'homeostat_quarantined_total'
