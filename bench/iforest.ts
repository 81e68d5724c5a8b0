/** Isolation forest, fit and score of 100,000 x 8 with 100 trees, beside scikit-learn with 2 threads on the same rows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Frame } from '../src/ml/frame.ts'
import { isolationForest } from '../src/ml/learners/isolation-forest.ts'
import { createRandom } from '../src/ml/random.ts'
import { pythonWith, runPython } from './peers/python.ts'
import { type Report, round } from './report.ts'

const rows = 100_000
const features = 8

export async function run(report: Report): Promise<void> {
  const frame = normalRows()
  const ours = measure(frame)
  const peer = await peerSeconds(frame)
  const figure = (name: string, seconds: number, peerSeconds: number, target?: number): void =>
    report({
      bench: 'iforest',
      name: `${name} ${rows} x ${features}, 100 trees`,
      value: round(seconds),
      unit: 's',
      ratio: round(seconds / peerSeconds),
      note: `scikit-learn ${peer.version}, 2 threads: ${round(peerSeconds)} s; ours 1 thread; best of three each`,
      ...(target === undefined ? {} : { target: round(target) }),
    })
  figure('fit', ours.fit, peer.fit)
  figure('score', ours.score, peer.score)
  figure('fit + score', ours.fit + ours.score, peer.fit + peer.score, peer.fit + peer.score)
  report({
    bench: 'iforest',
    name: 'mean score, to see that both do the same',
    value: round(ours.mean),
    unit: 'score',
    ratio: round(ours.mean / peer.mean),
  })
}

interface Seconds {
  readonly fit: number
  readonly score: number
  readonly mean: number
}

function normalRows(): Frame {
  const random = createRandom(1)
  const columns = Array.from({ length: features }, () =>
    Float64Array.from({ length: rows }, () => random.normal()),
  )
  return { rows, names: columns.map((_, at) => `x${at}`), columns }
}

function measure(frame: Frame): Seconds {
  let best: Seconds = { fit: Number.POSITIVE_INFINITY, score: Number.POSITIVE_INFINITY, mean: Number.NaN }
  for (let turn = 0; turn < 3; turn++) {
    const started = performance.now()
    const model = isolationForest.fit(frame, undefined)
    const fitted = performance.now()
    const scores = model.predict(frame)
    const scored = performance.now()
    if (scored - started >= 1000 * (best.fit + best.score)) continue
    const mean = scores.reduce((sum, score) => sum + score, 0) / rows
    best = { fit: (fitted - started) / 1000, score: (scored - fitted) / 1000, mean }
  }
  return best
}

async function peerSeconds(frame: Frame): Promise<Seconds & { readonly version: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-iforest-'))
  try {
    const file = join(folder, 'rows.f64')
    const values = new Float64Array(rows * features)
    frame.columns.forEach((column, at) => {
      values.set(column, at * rows)
    })
    await writeFile(file, values)
    const python = await pythonWith('scikit-learn', ['scikit-learn'])
    return (await runPython(python, 'iforest.py', [file, String(features)])) as Seconds & { version: string }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
