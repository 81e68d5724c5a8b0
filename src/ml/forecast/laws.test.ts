/** What every member of a forecast must obey, found by enumeration: a new one is tested without a new test. */
import { describe, expect, test } from 'vitest'
import { loadMstl } from '../../platform/augurs.ts'
import { mstlMember } from '../learners/mstl.ts'
import { createRandom } from '../random.ts'
import { type Fitted, type Forecasts, type Member, taskOf } from './member.ts'
import { membersOf } from './members.ts'
import { prepare, type Series } from './series.ts'

const [season, horizon, length] = [24, 24, 24 * 30]
const origins = [24 * 27, 24 * 28 + 5]

function seriesOf(seed: number, change: (value: number, at: number) => number = (value) => value): Series {
  const random = createRandom(seed)
  const values = Float64Array.from({ length }, (_, at) => {
    const value = 20 + 5 * Math.sin((2 * Math.PI * at) / season) + random.normal()
    return change(value, at)
  })
  return { id: `series ${seed}`, values, times: { startMs: Date.UTC(2024, 0, 1), stepMs: 3_600_000 } }
}

/** Learns from what lies before the first origin. */
function learnt(member: Member, series: readonly Series[]): Fitted {
  const starts = series.map((one) => ({ ...one, values: one.values.slice(0, origins[0]) }))
  const fitted = member.fit(
    starts.map((one) => prepare(one, season)),
    horizon,
  )
  if (!fitted) throw new Error(`${member.name} had too little to learn from`)
  return fitted
}

function forecasts(fitted: Fitted, series: readonly Series[]): Forecasts {
  const all = series.map((one) => prepare(one, season))
  return fitted.forecast(
    taskOf(
      all,
      all.map(() => origins),
      horizon,
    ),
  )
}

const predicted = (member: Member, series: readonly Series[]): Forecasts =>
  forecasts(learnt(member, series), series)

const numbers = (forecasts: Forecasts): number[] => forecasts.flat().flatMap((one) => [...one])

const members = [...membersOf(), mstlMember(loadMstl())]

test('the naive ones, smoothing, the boosted ones and MSTL are among the members', () => {
  expect(members.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'season',
      'cycle',
      'slot-mean',
      'smoothed',
      'sharp season',
      'smooth slot-mean',
      'mstl',
    ]),
  )
})

describe.each(members.map((member) => [member.name, member] as const))('%s', (_, member) => {
  const series = [seriesOf(1), seriesOf(2)]
  const before = series.map(({ values }) => values.slice())
  const first = predicted(member, series)

  test('gives a finite number for every lead of every origin, not far from what is usual', () => {
    const values = numbers(first)
    expect(values.length).toBe(series.length * origins.length * horizon)
    expect(values.every((value) => value > 5 && value < 35)).toBe(true)
  })

  test('leaves its input as it was, and predicts the same again', () => {
    expect(predicted(member, series)).toEqual(first)
    expect(series.map(({ values }) => values)).toEqual(before)
  })

  test('knows nothing of what came after an origin', () => {
    const other = [1, 2].map((seed) => seriesOf(seed, (value, at) => (at >= origins[0]! ? -1000 : value)))
    const changed = predicted(member, other)
    for (const nth of series.keys()) expect(changed[nth]![0]).toEqual(first[nth]![0])
  })

  test('predicts the same bits after it was stored and loaded', () => {
    const fitted = learnt(member, series)
    const loaded = member.load(JSON.parse(JSON.stringify(fitted.toJSON())))
    expect(forecasts(loaded, series)).toEqual(first)
  })

  test('does not depend on the order of the series', () => {
    // boosting learns from all series at once, so only what it learnt from has to stay the same
    const [b, a] = forecasts(learnt(member, series), series.toReversed())
    expect([a, b]).toEqual(first)
  })

  test('does not care for the unit: thousandfold values, thousandfold forecasts', () => {
    const large = predicted(
      member,
      [1, 2].map((seed) => seriesOf(seed, (value) => 1024 * value)),
    )
    for (const [at, value] of numbers(large).entries())
      expect(value / 1024).toBeCloseTo(numbers(first)[at]!, 1)
  })

  test('stays finite over gaps and for a series that never moves', () => {
    const gaps = seriesOf(3, (value, at) => (at % 11 === 0 || (at > 300 && at < 330) ? Number.NaN : value))
    const flat = seriesOf(4, () => 7)
    const values = predicted(member, [gaps, flat])
    expect(numbers(values).every(Number.isFinite)).toBe(true)
    for (const value of values[1]!.flatMap((one) => [...one])) expect(value).toBeCloseTo(7, 1)
  })
})
