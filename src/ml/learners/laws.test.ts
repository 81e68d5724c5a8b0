/** What every learner must obey, found by enumeration over the registry: a new learner is tested without a new test. */
import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner } from '../learner.ts'
import { createRandom } from '../random.ts'
import { takeRows } from '../rows.ts'
import { learners, streamingLearners } from './index.ts'

const monday = Date.UTC(2024, 0, 1)

/** Columns that mean something to each learner: time, room, duration, hour, plain numbers and a constant. */
function frameOf(rows: number, seed = 5): Frame {
  const random = createRandom(seed)
  const make = (value: (row: number) => number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => value(row))
  const columns: Record<string, Float64Array> = {
    x: make(() => random.normal()),
    y: make((row) => Math.sin(row / 20) + 0.3 * random.normal()),
    room: make(() => random.below(3)),
    next: make(() => random.below(3)),
    durationS: make(() => -100 * Math.log(1 - random.next())),
    hour: make((row) => (row / 4) % 24),
    constant: make(() => 7),
    at: make((row) => monday + row * 900_000),
  }
  return { rows, names: Object.keys(columns), columns: Object.values(columns) }
}

function targetOf(frame: Frame, learner: Learner): Float64Array | undefined {
  if (learner.task === 'anomaly') return undefined
  const [x, y] = frame.columns
  const random = createRandom(6)
  const level = x!.map((value, row) => 2 * value - y![row]! + 0.2 * random.normal())
  return learner.task === 'regression' ? level : level.map((value) => (value > 0 ? 1 : 0))
}

/** The same columns in another order. */
function shuffled(frame: Frame): Frame {
  const order = frame.names.map((_, at) => (at * 3 + 2) % frame.names.length)
  return {
    ...frame,
    names: order.map((at) => frame.names[at]!),
    columns: order.map((at) => frame.columns[at]!),
  }
}

function withColumn(frame: Frame, name: string, column: Float64Array): Frame {
  const at = frame.names.indexOf(name)
  return { ...frame, columns: frame.columns.map((old, place) => (place === at ? column : old)) }
}

const without = (frame: Frame, name: string): Frame => {
  const keep = frame.names.map((_, at) => at).filter((at) => frame.names[at] !== name)
  return {
    ...frame,
    names: keep.map((at) => frame.names[at]!),
    columns: keep.map((at) => frame.columns[at]!),
  }
}

const allFinite = (values: Float64Array): boolean => values.every(Number.isFinite)
const rows = 600

describe.each(Object.entries(learners) as [string, Learner][])('%s', (name, learner) => {
  const frame = frameOf(rows)
  const target = targetOf(frame, learner)
  const later = frameOf(200, 99)
  const model = learner.fit(frame, target)
  const said = model.predict(later)

  test('is registered under its own name', () => {
    expect(learner.name).toBe(name)
  })

  test('gives `outputs` finite numbers a row', () => {
    expect(said.length).toBe(later.rows * model.outputs)
    expect(allFinite(said)).toBe(true)
  })

  test('gives probabilities, or says how strange from 0 on', () => {
    if (learner.task === 'classification') expect(said.every((value) => value >= 0 && value <= 1)).toBe(true)
    if (learner.task === 'anomaly') expect(said.every((value) => value >= 0)).toBe(true)
  })

  test('leaves its input as it was', () => {
    const [columns, truth] = [frame.columns.map((column) => column.slice()), target?.slice()]
    const live = later.columns.map((column) => column.slice())
    learner.fit(frame, target).predict(later)
    expect(frame.columns).toEqual(columns)
    expect(target).toEqual(truth)
    expect(later.columns).toEqual(live)
  })

  test('says the same again: predicting does not change the model', () => {
    expect(model.predict(later)).toEqual(said)
  })

  test('does not care for the order of the features', () => {
    expect(model.predict(shuffled(later))).toEqual(said)
    expect(learner.fit(shuffled(frame), target).predict(later)).toEqual(said)
  })

  test('makes the same bytes from the same seed', () => {
    expect(JSON.stringify(learner.fit(frame, target))).toBe(JSON.stringify(model))
  })

  test('predicts the same bits after a JSON round trip, and makes the same JSON', () => {
    const text = JSON.stringify(model)
    const loaded = learner.load(JSON.parse(text))
    expect(loaded.outputs).toBe(model.outputs)
    expect(loaded.predict(later)).toEqual(said)
    expect(JSON.stringify(loaded)).toBe(text)
  })

  test('learns and predicts with values missing here and there, and with a feature missing throughout', () => {
    const random = createRandom(3)
    const holes = withColumn(
      frame,
      'x',
      frame.columns[0]!.map((value) => (random.next() < 0.3 ? Number.NaN : value)),
    )
    const empty = withColumn(holes, 'durationS', new Float64Array(rows).fill(Number.NaN))
    const fitted = learner.fit(empty, target)
    expect(allFinite(fitted.predict(later))).toBe(true)
    expect(allFinite(fitted.predict(frameOf(50, 1)))).toBe(true)
    const gone = withColumn(later, 'y', new Float64Array(later.rows).fill(Number.NaN))
    expect(allFinite(model.predict(gone))).toBe(true)
  })

  test('takes an absent feature as missing', () => {
    const gone = withColumn(later, 'y', new Float64Array(later.rows).fill(Number.NaN))
    expect(model.predict(without(later, 'y'))).toEqual(model.predict(gone))
  })

  test('learns from constant features only', () => {
    const flat = { ...frame, columns: frame.columns.map((column) => new Float64Array(rows).fill(column[0]!)) }
    expect(allFinite(learner.fit(flat, target).predict(later))).toBe(true)
  })

  test('learns from one row, or refuses with a sentence', () => {
    const one = takeRows(frame, [0])
    try {
      const learnt = learner.fit(one, target?.subarray(0, 1))
      expect(allFinite(learnt.predict(later))).toBe(true)
    } catch (error) {
      expect(error).toBeInstanceOf(HomeostatError)
      expect((error as HomeostatError).code).toBe('data_invalid')
    }
  })

  test('stays finite on huge and tiny values', () => {
    const wild = [1e300, -1e300, 5e-324, 0].flatMap((value) => [value, -value])
    const column = Float64Array.from(later.columns[0]!, (_, row) => wild[row % wild.length]!)
    const huge = {
      ...later,
      columns: later.columns.map((old, at) => (later.names[at] === 'at' ? old : column)),
    }
    expect(allFinite(model.predict(huge))).toBe(true)
  })

  test('predicts no rows as no rows', () => {
    expect(model.predict(takeRows(later, [])).length).toBe(0)
  })

  test('refuses a frame without rows', () => {
    const none = takeRows(frame, [])
    expect(() => learner.fit(none, target && new Float64Array(0))).toThrow(HomeostatError)
  })

  test('costs about in proportion to the rows', () => {
    // a quadratic learner would take 64 times as long for 8 times the rows; a linear one is far from 40 times
    const small = costMs(learner, 600)
    const large = costMs(learner, 4_800)
    expect(large / Math.max(small, 1)).toBeLessThan(40)
  })
})

const supervised = (Object.entries(learners) as [string, Learner][]).filter(
  ([, learner]) => learner.task !== 'anomaly',
)

test.each(supervised)('%s refuses a target that is missing, and names its row', (_, learner) => {
  const frame = frameOf(100)
  const target = targetOf(frame, learner)!
  const broken = target.slice()
  broken[17] = Number.NaN
  expect(() => learner.fit(frame, broken)).toThrow(/row 18\b/)
  expect(() => learner.fit(frame, undefined)).toThrow(HomeostatError)
  expect(() => learner.fit(frame, target.subarray(1))).toThrow(HomeostatError)
})

/** CPU time of learning and predicting so many rows, the less of two. */
function costMs(learner: Learner, count: number): number {
  const frame = frameOf(count)
  const target = targetOf(frame, learner)
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 2; turn++) {
    const before = process.cpuUsage().user
    learner.fit(frame, target).predict(frame)
    least = Math.min(least, (process.cpuUsage().user - before) / 1000)
  }
  return least
}

describe.each(Object.entries(streamingLearners))('%s as a stream', (name, learner) => {
  const frame = without(frameOf(rows), 'at')
  const at = (row: number): number => monday + row * 900_000
  const values = (row: number): Float64Array => Float64Array.from(frame.columns, (column) => column[row]!)
  const learnt = () => {
    const model = learner.create(frame.names)
    for (let row = 0; row < rows - 50; row++) model.learnOne(values(row), at(row))
    return model
  }

  test('is registered under its own name', () => {
    expect(learner.name).toBe(name)
  })

  test('says 0 before it knows anything', () => {
    expect(learner.create(frame.names).scoreOne(values(0), at(0))).toBe(0)
    expect(learner.create(frame.names).knows(values(0), at(0))).toBe(false)
  })

  test('is not changed by scoring', () => {
    const model = learnt()
    const before = JSON.stringify(model)
    model.scoreOne(values(rows - 1), at(rows - 1))
    expect(JSON.stringify(model)).toBe(before)
  })

  test('goes on after a JSON round trip with the same bits', () => {
    const model = learnt()
    const copy = learner.load(JSON.parse(JSON.stringify(model)))
    for (let row = rows - 50; row < rows; row++) {
      expect(copy.scoreOne(values(row), at(row))).toBe(model.scoreOne(values(row), at(row)))
      copy.learnOne(values(row), at(row))
      model.learnOne(values(row), at(row))
    }
    expect(JSON.stringify(copy)).toBe(JSON.stringify(model))
  })

  test('stays finite on missing, huge and tiny values', () => {
    const model = learnt()
    for (const value of [Number.NaN, 1e300, -1e300, 5e-324, 0])
      for (let turn = 0; turn < 60; turn++) {
        const row = frame.names.map(() => value)
        const score = model.scoreOne(row, at(rows))
        expect(Number.isFinite(score) && score >= 0).toBe(true)
        model.learnOne(row, at(rows))
      }
  })
})
