import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HubProcess, program, startHub } from '../test/servers/hub.ts'
import { freePort, startProcess, stopProcess, temporaryFolder } from '../test/servers.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { hourMs, items, madeHours, sendHours } from './load/made-devices.ts'
import { runLoad } from './load/run.ts'
import type { LoadResult } from './load/spec.ts'
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
    const starts: ColdStart[] = []
    for (let i = 0; i < rounds; i++) starts.push(await coldStart(home.path))
    tellStarts(report, starts)
    await besideTraining(report, home.path)
  } finally {
    home.remove()
  }
  const answers: number[] = []
  for (let i = 0; i < rounds; i++) answers.push(await firstAnswerMs())
  report({
    ...{ bench: 'train', name: 'first forecast on an empty folder, from the start of the process' },
    ...{ value: round(median(answers)), unit: 'ms', target: 3000, note: spread(answers, 'ms') },
  })
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
    await sleep(50)
  }
  throw new Error('not every model was published within two minutes')
}

function tellStarts(report: Report, starts: readonly ColdStart[]): void {
  const figure = (name: string, unit: string, values: readonly number[], target?: number): void =>
    report({
      ...{ bench: 'train', name, value: round(median(values)), unit, note: spread(values, unit) },
      ...(target === undefined ? {} : { target }),
    })
  const name = `cold start to ${devices} models learnt, judged and live, ${days} days by the hour`
  const of = (pick: (start: ColdStart) => number): number[] => starts.map(pick)
  figure(
    name,
    's',
    of(({ seconds }) => seconds),
    10,
  )
  figure(
    'of that until it takes readings',
    's',
    of(({ readySeconds }) => readySeconds),
  )
  figure(
    'processor time of all that',
    's',
    of(({ cpuSeconds }) => cpuSeconds),
  )
  figure(
    'processor time a model, with its forecasts',
    's',
    of((start) => start.learningCpuSeconds / devices),
  )
}

const spread = (values: readonly number[], unit: string): string =>
  `${round(Math.min(...values))} to ${round(Math.max(...values))} ${unit} in ${values.length} rounds`

const perSecond = 500
const seconds = 15

/** One reading a request at a steady rate, acknowledged after its commit: undisturbed, beside trainings, undisturbed. */
async function besideTraining(report: Report, made: string): Promise<void> {
  const { hub, folder } = await startOnCopy(made)
  try {
    await allLive(hub)
    const before = await sendReadings(hub, 'before')
    const training = keepTraining(hub)
    const beside = await sendReadings(hub, 'beside')
    const share = await training.stop()
    if (share === 0) throw new Error('no model was trained while it was measured')
    await quiet(hub)
    const after = await sendReadings(hub, 'after')
    const alone = median([before.p99Ms, after.p99Ms])
    const note = `${perSecond} readings/s for ${seconds} s, one a request`
    report({
      ...{ bench: 'train', name: 'readings, acknowledged after the commit, p99', unit: 'ms' },
      ...{ value: round(alone), note: `${note}; ${round(before.p99Ms)} before, ${round(after.p99Ms)} after` },
    })
    const busy = `a model was trained ${Math.round(share * 100)} % of the time`
    report({
      ...{ bench: 'train', name: 'the same while models train, p99; ratio to undisturbed', unit: 'ms' },
      ...{ value: round(beside.p99Ms), target: round(2 * alone), ratio: round(beside.p99Ms / alone) },
      note: `${note}; ${busy}; p50 ${round(beside.p50Ms)} ms, undisturbed ${round(before.p50Ms)} ms`,
    })
  } finally {
    await hub.stop()
    folder.remove()
  }
}

async function sendReadings(hub: HubProcess, prefix: string): Promise<LoadResult> {
  const baseAt = Date.now() - 60_000
  const bodies = Array.from({ length: perSecond * seconds }, (_, k) => {
    const device = `${prefix}-${k % 100}`
    const reading = { device, metric: 'temperature', value: 20 + (k % 50) / 10, unit: 'degC', at: baseAt + k }
    return JSON.stringify({ readings: [reading] })
  })
  const result = await runLoad({
    ...{ kind: 'steady', port: hub.port, path: '/api/v1/readings', connections: 64 },
    ...{ perSecond, seconds, bodies, maxSeconds: seconds + 30 },
  })
  if (result.cut) throw new Error(`readings: ${result.complaint}`)
  return result
}

async function quiet(hub: HubProcess): Promise<void> {
  while ((await hub.metric('homeostat_training')) > 0) await sleep(100)
  // the forecasts that follow a training
  await sleep(2000)
}

/** The program as `npm start` starts it, with its demo home, until a forecast can be asked for. */
async function firstAnswerMs(): Promise<number> {
  const folder = temporaryFolder('homeostat-first')
  const [port, mqttPort] = [await freePort(), await freePort()]
  const startedMs = performance.now()
  const args = ['serve', '--data', folder.path, '--port', String(port), '--mqtt-port', String(mqttPort)]
  const started = startProcess(process.execPath, [program, ...args])
  try {
    while (performance.now() - startedMs < 60_000) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/forecasts`).catch(() => undefined)
      const forecasts = answer?.ok ? ((await answer.json()) as { items: unknown[] }).items : []
      if (forecasts.length > 0) return performance.now() - startedMs
      await sleep(10)
    }
    throw new Error(`no forecast within a minute: ${started.tail}`)
  } finally {
    await stopProcess(started, 15_000)
    folder.remove()
  }
}
