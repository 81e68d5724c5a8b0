import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SeriesKey } from '../src/core/event.ts'
import { hourMs } from '../src/core/time.ts'
import { openEnergy } from '../src/domains/energy/body.ts'
import { featureNames } from '../src/domains/energy/forecaster.ts'
import { Registry } from '../src/engine/registry/registry.ts'
import { createRandom } from '../src/ml/random.ts'
import { systemClock } from '../src/platform/clock.ts'
import { artifactStores } from '../src/stores/artifacts/index.ts'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { temporaryFolder } from '../test/servers.ts'
import { inBlocks, timesAsLong } from './load/blocks.ts'
import { watchOthers } from './load/machine.ts'
import { items, madeHours, post, sendHours } from './load/made-devices.ts'
import { runLoad } from './load/run.ts'
import type { LoadResult } from './load/spec.ts'
import { quantile, type Report, round } from './report.ts'

/**
 * Swapping the live model under those who ask it: predictions at a steady rate over HTTP while an owner makes one
 * version live after the other over the API, in blocks, with blocks between in which nothing is swapped. Every answer
 * is compared, bit by bit, with what the version that it names says when its files are opened in this process.
 */
export async function run(report: Report): Promise<void> {
  const folder = temporaryFolder('homeostat-swap')
  const hub = await startHub({ data: join(folder.path, 'data') })
  try {
    const versions = await learnVersions(hub)
    const rows = madeRows()
    const expected = await whatTheySay(hub, join(folder.path, 'copy'), versions, rows)
    const load = { bodies: rows.map((some) => JSON.stringify({ ...series, rows: some })), expected }
    const swapper = new Swapper(hub, versions)
    const others = watchOthers()
    const blocks = await inBlocks(
      rounds,
      () => ask(hub, load, calmSeconds),
      async () => {
        const [result] = await Promise.all([ask(hub, load, swapSeconds), swapper.run(swapSeconds)])
        return result
      },
    )
    tell(report, blocks, swapper, `others kept ${round(others())} processors busy`)
  } finally {
    await hub.stop()
    folder.remove()
  }
}

const swaps = Number(process.env['BENCH_SWAPS'] ?? 200)
/** All swaps take place in this time, cut into rounds. */
const allSeconds = Number(process.env['BENCH_SECONDS'] ?? 120)
const rounds = 8
const swapSeconds = allSeconds / rounds
const calmSeconds = swapSeconds / 2
const perSecond = 500

const series: SeriesKey = { site: 'home', device: 'device-0', metric: 'energy' }
/** Days of history that each version has learnt from. */
const knownDays = [50, 60, 70, 80]

type Rows = readonly Readonly<Record<string, number>>[]

/** Versions as a home gets them: more history each time, learnt when asked for. Oldest first. */
async function learnVersions(hub: HubProcess): Promise<string[]> {
  const last = knownDays.at(-1)!
  const hours = madeHours(0, last)
  const start = Math.floor(systemClock.now() / hourMs) * hourMs - last * 24 * hourMs
  let sent = 0
  for (const [before, days] of knownDays.entries()) {
    await sendHours(hub, series.device, start + sent * hourMs, hours.slice(sent, days * 24))
    sent = days * 24
    // the first is learnt unasked
    // versions are named by the second
    await sleep(1000)
    if (before > 0) await post(hub, 'train', { device: series.device, force: true })
    await untilLearnt(hub, before + 1)
  }
  return (await learnt(hub)).sort()
}

async function learnt(hub: HubProcess): Promise<string[]> {
  const models = await items<{ model: { version: string; kind: string } }>(hub, 'models')
  return models.filter(({ model }) => model.kind === 'learned').map(({ model }) => model.version)
}

async function untilLearnt(hub: HubProcess, count: number): Promise<void> {
  const end = performance.now() + 120_000
  while ((await learnt(hub)).length < count || (await hub.metric('homeostat_training')) > 0) {
    if (performance.now() > end) throw new Error(`version ${count} was not learnt within two minutes`)
    await sleep(100)
  }
}

/** Rows of all features, a few a request. */
function madeRows(): Rows[] {
  const random = createRandom(5)
  const row = () =>
    Object.fromEntries(
      featureNames.map((name) => [
        name,
        name === 'hour' ? Math.floor(24 * random.next()) : 1.5 * random.next(),
      ]),
    )
  return Array.from({ length: 64 }, () => [row(), row(), row(), row()])
}

/** By version, what its files say of each body; opened from a copy of the folder, since the hub has the other. */
async function whatTheySay(
  hub: HubProcess,
  copy: string,
  versions: readonly string[],
  rows: readonly Rows[],
): Promise<Record<string, number[][]>> {
  cpSync(join(hub.data, 'models'), copy, { recursive: true })
  const artifacts = artifactStores.file({ folder: copy })
  await artifacts.open()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const registry = new Registry({ artifacts, clock: systemClock, log, code: '' })
  const expected: Record<string, number[][]> = {}
  for (const version of versions) {
    const model = openEnergy(
      await registry.load({ site: series.site, domain: 'energy', subject: series.device }, version),
    )
    expected[version] = rows.map((some) => [...model.predict(some)])
  }
  await artifacts.close()
  for (const body of rows.keys()) {
    const said = new Set(versions.map((version) => String(expected[version]![body])))
    if (said.size < versions.length)
      throw new Error('two versions say the same: an answer would not tell which it is')
  }
  return expected
}

async function ask(
  hub: HubProcess,
  load: { readonly bodies: readonly string[]; readonly expected: Record<string, number[][]> },
  seconds: number,
): Promise<LoadResult> {
  return runLoad({
    ...{ kind: 'steady', port: hub.port, path: '/api/v1/predict', connections: 64 },
    ...{ perSecond, seconds, ...load, maxSeconds: seconds + 30 },
  })
}

/** An owner who cannot make up his mind. */
class Swapper {
  readonly #hub: HubProcess
  readonly #versions: readonly string[]
  readonly tookMs: number[] = []
  /** Answers after a swap that were not the new version's. */
  late = 0

  constructor(hub: HubProcess, versions: readonly string[]) {
    this.#hub = hub
    this.#versions = versions
  }

  /** Its share of the swaps, evenly over the seconds. */
  async run(seconds: number): Promise<void> {
    const [start, first] = [performance.now(), this.tookMs.length]
    const count = Math.round(((this.#rounds + 1) * swaps) / rounds) - first
    this.#rounds++
    for (let k = 0; k < count; k++) {
      await sleep(Math.max(0, start + ((k + 0.5) / count) * seconds * 1000 - performance.now()))
      await this.#swap(this.#versions[this.tookMs.length % this.#versions.length]!)
    }
  }

  #rounds = 0

  async #swap(version: string): Promise<void> {
    const start = performance.now()
    await post(this.#hub, 'models/promote', { ...series, version, force: true })
    this.tookMs.push(performance.now() - start)
    // nobody else swaps: who asks now must hear the new one
    const said = (await post(this.#hub, 'predict', { ...series, rows: [{ hour: 18 }] })) as {
      model: { version: string }
    }
    if (said.model.version !== version) this.late++
  }
}

function tell(
  report: Report,
  blocks: { readonly calm: readonly LoadResult[]; readonly disturbed: readonly LoadResult[] },
  { tookMs, late }: Swapper,
  machine: string,
): void {
  const figure = (name: string, value: number, unit: string, more: object = {}): void =>
    report({ bench: 'swap', name, value: round(value), unit, ...more })
  const all = [...blocks.calm, ...blocks.disturbed]
  const sum = (of: (result: LoadResult) => number): number =>
    all.reduce((total, result) => total + of(result), 0)
  const heard: Record<string, number> = {}
  for (const { byVersion = {} } of blocks.disturbed)
    for (const [version, count] of Object.entries(byVersion)) heard[version] = (heard[version] ?? 0) + count
  figure('swaps over the API', tookMs.length, 'swaps', {
    target: swaps,
    note: `in ${allSeconds} s, cut into ${rounds} rounds; between ${knownDays.length} versions`,
  })
  figure(
    'answers',
    sum(({ sent }) => sent),
    'answers',
    {
      note: `${perSecond} requests/s; while swapping by version ${JSON.stringify(heard)}`,
    },
  )
  const complaint = all.map((result) => result.complaint).find((text) => text !== '')
  const wrong = sum(({ sent, acknowledged }) => sent - acknowledged)
  figure(
    'errors, and answers that are not, to the bit, what the version that they name says',
    wrong,
    'answers',
    {
      target: 0,
      ...(complaint === undefined ? {} : { note: complaint.slice(0, 300) }),
    },
  )
  figure('answers of an old version to who asked after the swap', late, 'answers', { target: 0 })
  const [p50, p99] = [timesAsLong(blocks, ({ p50Ms }) => p50Ms), timesAsLong(blocks, ({ p99Ms }) => p99Ms)]
  report({ bench: 'swap', name: 'p50 of the answers while swapping, to undisturbed', ...p50 })
  const note = `${p99.note}; ${machine}`
  report({
    bench: 'swap',
    name: 'p99 of the answers while swapping, to undisturbed',
    ...p99,
    target: 2,
    note,
  })
  figure('a swap, from the request to its answer, p50', quantile(tookMs, 0.5), 'ms')
  figure('a swap, from the request to its answer, p99', quantile(tookMs, 0.99), 'ms')
}
