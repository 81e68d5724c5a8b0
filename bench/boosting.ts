import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Frame } from '../src/ml/frame.ts'
import { rowsOf } from '../src/ml/learners/boosting/made-data.ts'
import type { BoostingModel } from '../src/ml/learners/boosting/model.ts'
import type { BoostingOptions } from '../src/ml/learners/boosting/options.ts'
import { kernelProgram } from '../src/ml/learners/boosting/program.ts'
import { boosting } from '../src/ml/learners/boosting.ts'
import { createRandom } from '../src/ml/random.ts'
import { type NodeTeam, startNodeTeam } from '../src/platform/node-team.ts'
import { pythonWith } from './peers/python.ts'
import { median, type Report } from './report.ts'

const columns = 24
const testRows = 10_000
const peers = ['hist', 'lightgbm', 'xgboost'] as const
type Peer = (typeof peers)[number]

/**
 * Friedman's first benchmark (1991, "MARS"): five of the columns matter, noise has deviation 1. Every part shows by
 * itself, so that greedy trees of any make find the same things, and errors differ by quality rather than luck.
 */
function friedman(rows: number): { frame: Frame; target: Float64Array } {
  const random = createRandom(7)
  const made = Array.from({ length: columns }, () => new Float64Array(rows).map(() => random.next()))
  const [a, b, c, d, e] = made as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]
  const target = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const curved = 10 * Math.sin(Math.PI * a[row]! * b[row]!) + 20 * (c[row]! - 0.5) ** 2
    target[row] = curved + 10 * d[row]! + 5 * e[row]! + random.normal()
  }
  return { frame: { rows, names: made.map((_, k) => `x${k}`), columns: made }, target }
}

interface Run {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rmse: number
}

/**
 * Boosting beside scikit-learn's HistGradientBoosting, LightGBM and XGBoost: same rows, 100 trees of 31 leaves, two
 * threads each, runs by turns, medians. Figures: seconds, error on unseen rows, their ratios to the peers'.
 */
export async function run(report: Report): Promise<void> {
  const team = await startNodeTeam(2, kernelProgram)
  const asked = await startPeers(report)
  try {
    await compare(report, team, asked, 40_000, { loss: 'squared' })
    await compare(report, team, asked, 40_000, { loss: 'quantile', alpha: 0.9 })
    await compare(report, team, asked, 400_000, { loss: 'squared' })
  } finally {
    asked?.stop()
    await team.stop()
  }
}

async function compare(
  report: Report,
  team: NodeTeam,
  asked: PeerProcess | undefined,
  rows: number,
  loss: Partial<BoostingOptions>,
): Promise<void> {
  const { frame, target } = friedman(rows + testRows)
  const train = rowsOf(frame, 0, rows)
  const test = rowsOf(frame, rows, rows + testRows)
  const kind = loss.loss ?? 'squared'
  const name = `${rows / 1000}k ${kind}`
  await asked?.load(frame, target, rows)
  const repeats = rows > 100_000 ? 3 : 5
  const ours: Run[] = []
  const theirs = new Map<Peer, Run[]>(peers.map((peer) => [peer, []]))
  let model: BoostingModel | undefined
  for (let turn = 0; turn < repeats; turn++) {
    const [cpu, from] = [process.cpuUsage(), performance.now()]
    model = boosting.fit(train, target.slice(0, rows), { ...loss, team }) as BoostingModel
    const seconds = (performance.now() - from) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const rmse = errorOf(kind, model.predict(test), target.subarray(rows))
    ours.push({ seconds, cpuSeconds: (user + system) / 1e6, rmse })
    for (const peer of asked === undefined ? [] : peers) theirs.get(peer)?.push(await asked!.fit(peer, kind))
  }
  const mine = middle(ours)
  const all = asked === undefined ? [] : peers.map((peer) => ({ peer, ...middle(theirs.get(peer)!) }))
  for (const { peer, seconds, cpuSeconds, rmse } of all) {
    report({
      bench: 'boosting',
      name: `fit ${name}, ${peer}`,
      value: seconds,
      unit: 's',
      note: noteOf(cpuSeconds, rmse),
    })
  }
  const note = noteOf(mine.cpuSeconds, mine.rmse)
  const hist = all.find(({ peer }) => peer === 'hist')
  report({ bench: 'boosting', name: `fit ${name}`, value: mine.seconds, unit: 's', note })
  if (hist !== undefined) {
    const ratio = mine.seconds / hist.seconds
    report({ bench: 'boosting', name: `fit ${name} : hist`, value: ratio, unit: 'x', target: 1.5, ratio })
    const fastest = mine.seconds / Math.min(...all.map(({ seconds }) => seconds))
    report({
      bench: 'boosting',
      name: `fit ${name} : fastest`,
      value: fastest,
      unit: 'x',
      target: 1,
      ratio: fastest,
    })
    const error = mine.rmse / Math.min(...all.map((peer) => peer.rmse))
    report({
      bench: 'boosting',
      name: `error ${name} : best`,
      value: error,
      unit: 'x',
      target: 1.01,
      ratio: error,
    })
  }
  if (rows === 40_000 && kind === 'squared' && model !== undefined)
    await predictions(report, asked, model, test)
}

async function predictions(
  report: Report,
  asked: PeerProcess | undefined,
  model: BoostingModel,
  test: Frame,
): Promise<void> {
  const all = best(200, () => model.predict(test))
  const row = Float64Array.from(model.parts.names, (name) => test.columns[test.names.indexOf(name)]![0]!)
  const one = best(50, () => {
    for (let k = 0; k < 1000; k++) model.predictRow(row)
  })
  const frame = rowsOf(test, 0, 1)
  const oneFrame = best(50, () => {
    for (let k = 0; k < 1000; k++) model.predict(frame)
  })
  report({ bench: 'boosting', name: 'predict 10,000 rows', value: all * 1000, unit: 'ms', target: 17 })
  report({ bench: 'boosting', name: 'predict one row', value: one * 1000, unit: 'us', target: 20 })
  report({
    bench: 'boosting',
    name: 'predict a frame of one row',
    value: oneFrame * 1000,
    unit: 'us',
    target: 20,
  })
  for (const peer of asked === undefined ? [] : peers) {
    const many = await asked!.predict(peer, testRows)
    report({ bench: 'boosting', name: `predict 10,000 rows, ${peer}`, value: many * 1000, unit: 'ms' })
    report({
      bench: 'boosting',
      name: `predict one row, ${peer}`,
      value: (await asked!.predict(peer, 1)) * 1e6,
      unit: 'us',
    })
  }
}

/** Least seconds of a number of calls. */
function best(calls: number, act: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let k = 0; k < calls; k++) {
    const from = performance.now()
    act()
    least = Math.min(least, (performance.now() - from) / 1000)
  }
  return least
}

function errorOf(kind: string, said: Float64Array, truth: Float64Array): number {
  let sum = 0
  for (let k = 0; k < said.length; k++) {
    const residual = truth[k]! - said[k]!
    sum += kind === 'quantile' ? Math.max(0.9 * residual, -0.1 * residual) : residual ** 2
  }
  return kind === 'quantile' ? sum / said.length : Math.sqrt(sum / said.length)
}

function middle(runs: readonly Run[]): Run {
  const of = (name: keyof Run): number => median(runs.map((run) => run[name]))
  return { seconds: of('seconds'), cpuSeconds: of('cpuSeconds'), rmse: of('rmse') }
}

const noteOf = (cpuSeconds: number, error: number): string =>
  `cpu ${cpuSeconds.toFixed(2)} s, test error ${error.toFixed(4)}`

/** The peers in a Python process of their own, asked one thing at a time. */
class PeerProcess {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>
  readonly #folder = mkdtempSync(join(tmpdir(), 'homeostat-bench-'))

  constructor(python: string, script: string) {
    this.#child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  async load(frame: Frame, target: Float64Array, rows: number): Promise<void> {
    const file = join(this.#folder, 'data.f64')
    const total = frame.rows
    const flat = new Float64Array((columns + 1) * total)
    for (const [k, column] of [...frame.columns, target].entries()) flat.set(column, k * total)
    writeFileSync(file, flat)
    await this.#ask({ load: file, rows, columns, test: testRows })
  }

  async fit(peer: Peer, loss: string): Promise<Run> {
    return (await this.#ask({ fit: peer, loss })) as Run
  }

  async predict(peer: Peer, rows: number): Promise<number> {
    return ((await this.#ask({ predict: peer, rows })) as { seconds: number }).seconds
  }

  stop(): void {
    this.#child.kill()
    rmSync(this.#folder, { recursive: true })
  }

  async #ask(task: object): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(task)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('the peers ended before they answered')
    return JSON.parse(value)
  }
}

/** Starts the peers; undefined, and said so, where they cannot be had. */
async function startPeers(report: Report): Promise<PeerProcess | undefined> {
  const packages = ['numpy', 'scikit-learn==1.9.*', 'lightgbm==4.7.*', 'xgboost==3.2.*']
  try {
    const python = await pythonWith('boosting', packages)
    return new PeerProcess(python, fileURLToPath(new URL('peers/boosting.py', import.meta.url)))
  } catch (error) {
    report({ bench: 'boosting', name: 'peers', value: 0, unit: 'installed', note: String(error) })
    return undefined
  }
}
