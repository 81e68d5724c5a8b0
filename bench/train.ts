import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hourMs } from '../src/core/time.ts'
import { type HubProcess, program, startHub } from '../test/servers/hub.ts'
import { freePort, startProcess, stopProcess, temporaryFolder } from '../test/servers.ts'
import { type Blocks, inBlocks, timesAsLong } from './load/blocks.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { watchOthers } from './load/machine.ts'
import { items, madeHours, sendHours } from './load/made-devices.ts'
import { runLoad } from './load/run.ts'
import { type LoadResult, layoutFor } from './load/spec.ts'
import { keepTraining } from './load/training.ts'
import { median, type Report, round } from './report.ts'

/**
 * How soon a hub has something to say, and what learning costs those who send readings meanwhile: from a cold start on
 * readings alone until every model is learnt, judged and published; readings one a request beside trainings; and the
 * first forecast on an empty folder.
 */
export async function run(report: Report): Promise<void> {
  const home = await madeHome()
  try {
    await tellColdStarts(report, home.path)
    await besideTraining(report, home.path)
  } finally {
    home.remove()
  }
  await tellFirstAnswers(report)
}

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const devices = 10
const days = 90

/** A folder with ninety days of ten made devices, by the hour, and not one model. */
async function madeHome(): Promise<{ readonly path: string; remove(): void }> {
  const folder = temporaryFolder('homeostat-train')
  const config = join(folder.path, 'no-learning.yaml')
  writeFileSync(config, 'training: { enabled: false }\n')
  const hub = await startHub({ data: join(folder.path, 'data'), config })
  try {
    const end = Math.floor(Date.now() / hourMs) * hourMs
    for (let device = 0; device < devices; device++) {
      await sendHours(hub, `device-${device}`, end - days * 24 * hourMs, madeHours(device, days))
    }
  } finally {
    await hub.stop()
  }
  return { path: join(folder.path, 'data'), remove: folder.remove }
}

interface ColdStart {
  /** From the start of the process until all models speak. */
  readonly seconds: number
  /** Until it takes readings. */
  readonly readySeconds: number
  /** Of the whole process until then, all threads; and of it after it was ready. */
  readonly cpuSeconds: number
  readonly learningCpuSeconds: number
}

async function coldStart(made: string): Promise<ColdStart> {
  const { hub, folder, startedMs } = await startOnCopy(made)
  try {
    const readySeconds = (performance.now() - startedMs) / 1000
    const readyCpu = cpuSecondsOf([hub.pid])
    await allLive(hub)
    const seconds = (performance.now() - startedMs) / 1000
    const cpuSeconds = cpuSecondsOf([hub.pid])
    return { seconds, readySeconds, cpuSeconds, learningCpuSeconds: cpuSeconds - readyCpu }
  } finally {
    await hub.stop()
    folder.remove()
  }
}

async function startOnCopy(made: string) {
  const folder = temporaryFolder('homeostat-train')
  const data = join(folder.path, 'data')
  cpSync(made, data, { recursive: true })
  const startedMs = performance.now()
  return { hub: await startHub({ data }), folder, startedMs }
}

/** Resolves when each training has ended and each forecast is a learnt model's. Rejects when a model was not published. */
async function allLive(hub: HubProcess): Promise<void> {
  const end = performance.now() + 120_000
  while (performance.now() < end) {
    const jobs = await items<{ status: string; detail: string }>(hub, 'jobs?limit=100')
    const forecasts = await items<{ model: { kind: string } }>(hub, 'forecasts')
    const ended = jobs.filter(({ status }) => status !== 'queued' && status !== 'running')
    const failed = ended.find(({ status, detail }) => status !== 'done' || !detail.startsWith('Live'))
    if (failed) throw new Error(`a model was not published: ${failed.detail}`)
    const learnt = forecasts.filter(({ model }) => model.kind === 'learned')
    if (ended.length === devices && learnt.length === devices) return
    await sleep(100)
  }
  throw new Error('not every model was published within two minutes')
}

async function tellFirstAnswers(report: Report): Promise<void> {
  const others = watchOthers()
  const answers: FirstAnswer[] = []
  for (let i = 0; i < rounds; i++) answers.push(await firstAnswer())
  const tell = teller(report, `others kept ${round(others())} processors busy`)
  const forecasts = answers.map(({ forecastMs }) => forecastMs)
  tell('first forecast on an empty folder, from the start of the process', 'ms', forecasts, 3000)
  const any = answers.map(({ answersMs }) => answersMs)
  tell('of that until it answers at all', 'ms', any)
  const cpu = answers.map(({ cpuSeconds }) => cpuSeconds)
  tell('processor time until the first forecast', 's', cpu)
}

async function tellColdStarts(report: Report, made: string): Promise<void> {
  const others = watchOthers()
  const starts: ColdStart[] = []
  for (let i = 0; i < rounds; i++) starts.push(await coldStart(made))
  const tell = teller(report, `others kept ${round(others())} processors busy`)
  const name = `cold start to ${devices} models learnt, judged and live, ${days} days by the hour`
  const of = (pick: (start: ColdStart) => number): number[] => starts.map(pick)
  const seconds = of((start) => start.seconds)
  tell(name, 's', seconds, 10)
  const ready = of(({ readySeconds }) => readySeconds)
  tell('of that until it takes readings', 's', ready)
  const cpu = of(({ cpuSeconds }) => cpuSeconds)
  tell('processor time of all that', 's', cpu)
  const each = of(({ learningCpuSeconds }) => learningCpuSeconds / devices)
  tell('processor time a model, with its forecasts', 's', each)
}

/** Reports the median of the rounds. */
const teller =
  (report: Report, machine: string) =>
  (name: string, unit: string, values: readonly number[], target?: number): void =>
    report({
      ...{ bench: 'train', name, value: round(median(values)), unit },
      ...(target === undefined ? {} : { target }),
      note: `${round(Math.min(...values))} to ${round(Math.max(...values))} ${unit} in ${values.length} rounds; ${machine}`,
    })

const perSecond = 200
/** Many short ones: what else the machine does comes in bursts. */
const blockSeconds = 6
const blockRounds = 2 * rounds

interface Block {
  readonly http: LoadResult
  readonly mqtt: LoadResult
}

/** One reading a request, each acknowledged after its commit, over HTTP and MQTT at once: beside trainings, and not. */
async function besideTraining(report: Report, made: string): Promise<void> {
  const { hub, folder } = await startOnCopy(made)
  try {
    await allLive(hub)
    await quiet(hub)
    const shares: number[] = []
    const others = watchOthers()
    const blocks = await inBlocks(
      blockRounds,
      () => sendReadings(hub),
      async () => {
        const training = keepTraining(hub)
        const result = await sendReadings(hub)
        shares.push(await training.stop())
        await quiet(hub)
        return result
      },
    )
    if (Math.min(...shares) === 0) throw new Error('no model was trained while it was measured')
    const trained = `a model was trained ${Math.round(100 * median(shares))} % of the time`
    tellReadings(report, blocks, `${trained}; others kept ${round(others())} processors busy`)
  } finally {
    await hub.stop()
    folder.remove()
  }
}

function tellReadings(report: Report, blocks: Blocks<Block>, note: string): void {
  for (const [way, name] of [
    ['http', 'HTTP, one reading a request'],
    ['mqtt', 'MQTT QoS 1'],
  ] as const) {
    for (const [quantile, of] of [
      ['p50', (block: Block) => block[way].p50Ms],
      ['p99', (block: Block) => block[way].p99Ms],
    ] as const) {
      const compared = timesAsLong(blocks, of)
      report({
        ...{ bench: 'train', name: `${quantile} of ${name}, while models train, to undisturbed` },
        ...compared,
        ...(quantile === 'p99' ? { target: 2 } : {}),
        note: `${perSecond}/s in blocks of ${blockSeconds} s: ${compared.note}; ${note}`,
      })
    }
  }
}

let sent = 0

async function sendReadings(hub: HubProcess): Promise<Block> {
  const count = perSecond * blockSeconds
  const baseAt = Date.now() - 60_000
  const prefix = `block${sent++}-`
  const bodies = Array.from({ length: count }, (_, k) => {
    const device = `${prefix}${k % 100}`
    const reading = { device, metric: 'temperature', value: 20 + (k % 50) / 10, unit: 'degC', at: baseAt + k }
    return JSON.stringify({ readings: [reading] })
  })
  const shared = { perSecond, seconds: blockSeconds, maxSeconds: blockSeconds + 30 }
  const [http, mqtt] = await Promise.all([
    runLoad({
      ...{ kind: 'steady', port: hub.port, path: '/api/v1/readings', connections: 64, bodies },
      ...shared,
    }),
    runLoad({ kind: 'steady-mqtt', port: hub.mqttPort, ...layoutFor(count, prefix, 100), ...shared }),
  ])
  for (const { cut, complaint } of [http, mqtt]) if (cut) throw new Error(`readings: ${complaint}`)
  return { http, mqtt }
}

async function quiet(hub: HubProcess): Promise<void> {
  while ((await hub.metric('homeostat_training')) > 0) await sleep(100)
  // the forecasts that follow a training
  await sleep(2000)
}

interface FirstAnswer {
  /** From the start of the process until it answers at all, and until it forecasts. */
  readonly answersMs: number
  readonly forecastMs: number
  /** Of the process and its threads until it forecasts. */
  readonly cpuSeconds: number
}

/** The program as `npm start` starts it, with its demo home, until there is a forecast for whoever asks. */
async function firstAnswer(): Promise<FirstAnswer> {
  const folder = temporaryFolder('homeostat-first')
  const [port, mqttPort] = [await freePort(), await freePort()]
  const startedMs = performance.now()
  const args = ['serve', '--data', folder.path, '--port', String(port), '--mqtt-port', String(mqttPort)]
  const started = startProcess(process.execPath, [program, ...args])
  let answersMs = Number.NaN
  try {
    while (performance.now() - startedMs < 60_000) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/forecasts`).catch(() => undefined)
      if (answer?.ok) {
        // the hub's own reply
        const { items: forecasts } = (await answer.json()) as { items: { mean: unknown[] }[] }
        const forecastMs = performance.now() - startedMs
        if (Number.isNaN(answersMs)) answersMs = forecastMs
        if (forecasts.some(({ mean }) => mean.length > 0))
          return { answersMs, forecastMs, cpuSeconds: cpuSecondsOf([started.child.pid ?? 0]) }
      }
      await sleep(25)
    }
    throw new Error(`no forecast within a minute: ${started.tail}`)
  } finally {
    await stopProcess(started, 15_000)
    folder.remove()
  }
}
