import { describe, expect, test } from 'vitest'
import type { Card, Forecast, Rollup } from '../api/types.ts'
import { hourlyEnergy, joinTimes } from './energy.ts'
import {
  cardOf,
  changeOf,
  comparisonRows,
  gateSentence,
  judgedOf,
  predecessorOf,
  scoreRows,
  summarise,
  verdictOf,
} from './score.ts'
import { boundsOf, endOf, stepsOf, totalOf } from './steps.ts'

const hour = 3_600_000

const card = (over: Partial<Card> = {}): Card => ({
  target: { site: 'home', domain: 'energy', subject: 'kettle' },
  metric: 'energy',
  model: { name: 'gbt', version: '2', kind: 'learned' },
  trainedAt: 2,
  span: { from: 0, to: hour, steps: 1 },
  features: [],
  folds: 4,
  scoredSteps: 96,
  unit: 'kWh',
  scores: {
    yesterday: { mae: 0.4, rmse: 0.8 },
    model: { mae: 0.15, rmse: 0.5 },
    'slot-mean': { mae: 0.2, rmse: 0.4 },
  },
  decidedBy: 'rmse',
  verdict: { status: 'live', reason: '', comparisons: {} },
  residualDeciles: [],
  status: 'live',
  live: true,
  reason: '',
  since: 2,
  repairs: {},
  ...over,
})

const forecast = (over: Partial<Forecast> = {}): Forecast => ({
  kind: 'forecast',
  target: { site: 'home', domain: 'energy', subject: 'kettle' },
  metric: 'energy',
  unit: 'kWh',
  origin: 0,
  madeAt: 0,
  model: { name: 'gbt', version: '2', kind: 'learned' },
  grid: [{ stepMs: hour, count: 2 }],
  mean: [0.5, 0.25],
  baseline: [1, 1],
  baselineName: 'slot-mean',
  quantiles: [],
  ...over,
})

describe('the score table', () => {
  test('puts the learnt model first, then the naive ones by their error', () => {
    expect(scoreRows(card()).map((row) => row.name)).toEqual(['model', 'slot-mean', 'yesterday'])
  })

  test('measures every row against the least naive error of each measure', () => {
    const changes = scoreRows(card()).map(({ scores }) =>
      Object.fromEntries(scores.map(({ measure, change }) => [measure, change])),
    )
    expect(changes).toEqual([
      { rmse: expect.closeTo(0.25), mae: expect.closeTo(-0.25) },
      { rmse: 0, mae: 0 },
      { rmse: expect.closeTo(1), mae: expect.closeTo(1) },
    ])
  })

  test('shows the measures that the card names, the one that decides first, and no gain of r2', () => {
    const scores = { model: { r2: 0.8, pinball: 1 }, yesterday: { r2: 0.5, pinball: 2 } }
    const [model] = scoreRows(card({ scores, decidedBy: 'pinball' }))
    expect(model?.scores).toEqual([
      { measure: 'pinball', value: 1, change: -0.5, best: true },
      { measure: 'r2', value: 0.8, change: undefined, best: true },
    ])
  })

  test('marks the lowest error of each measure, and of r2 the highest, whoever has it', () => {
    const scores = {
      model: { rmse: 0.5, mae: 0.15, r2: 0.3 },
      yesterday: { rmse: 0.4, mae: 0.2, r2: 0.6 },
    }
    const marked = scoreRows(card({ scores })).map((row) =>
      row.scores.filter(({ best }) => best).map(({ measure }) => measure),
    )
    expect(marked).toEqual([['mae'], ['rmse', 'r2']])
  })

  test('marks as best the lowest by the measure that decides, the naive one too', () => {
    expect(scoreRows(card()).map((row) => row.best)).toEqual([false, true, false])
    expect(changeOf(card())).toBeCloseTo(0.25)
  })

  test('leaves out the model that was live, which is scored over other hours and is no naive forecast', () => {
    const scores = { ...card().scores, live: { mae: 0.01, rmse: 0.01 } }
    expect(scoreRows(card({ scores }))).toEqual(scoreRows(card()))
    expect(changeOf(card({ scores }))).toBeCloseTo(0.25)
  })

  test('claims no gain or loss over a naive forecast without error', () => {
    const flat = { model: { mae: 0.1, rmse: 0.1 }, yesterday: { mae: 7e-16, rmse: 4e-15 } }
    expect(changeOf(card({ scores: flat }))).toBeUndefined()
  })
})

describe('the card of a forecast', () => {
  const old = card({ model: { name: 'gbt', version: '1', kind: 'learned' }, trainedAt: 1, live: false })

  test('is that of its own version', () => {
    expect(cardOf(forecast({ model: old.model }), [card(), old])).toBe(old)
  })

  test('is never that of another device', () => {
    const other = card({ target: { site: 'home', domain: 'energy', subject: 'oven' } })
    expect(cardOf(forecast(), [other])).toBeUndefined()
  })

  test('is the newest one where a naive forecast stands in for a rejected model', () => {
    const rejected = card({ live: false })
    const naive = forecast({ model: { name: 'slot-mean', version: '0', kind: 'naive' } })
    expect(cardOf(naive, [{ ...old, live: false }, rejected])).toBe(rejected)
  })
})

test('only learnt forecasts count as learnt, and the best is the one that gains most', () => {
  const oven = { site: 'home', domain: 'energy', subject: 'oven' }
  const cards = [
    card(),
    card({ target: oven, scores: { model: { mae: 1, rmse: 1 }, yesterday: { mae: 4, rmse: 4 } } }),
  ]
  const naive = forecast({
    target: { ...oven, subject: 'tv' },
    model: { name: 'yesterday', version: '', kind: 'naive' },
  })
  const summary = summarise([forecast(), forecast({ target: oven }), naive], cards)
  expect(summary).toMatchObject({
    tried: true,
    learned: 2,
    total: 3,
    best: { device: 'oven', change: -0.75 },
  })
})

test('summarise: a learnt model was tried where one of these targets has a card of one', () => {
  const naive = forecast({ model: { name: 'yesterday', version: '', kind: 'naive' } })
  const naiveCard = card({ model: naive.model })
  const rejected = card({ status: 'rejected', live: false })
  const elsewhere = card({ target: { site: 'home', domain: 'energy', subject: 'oven' } })
  expect(summarise([naive], [naiveCard]).tried).toBe(false)
  expect(summarise([naive], [naiveCard, elsewhere]).tried).toBe(false)
  expect(summarise([naive], [naiveCard, rejected])).toMatchObject({ tried: true, learned: 0 })
})

describe('the verdict', () => {
  const naive = { name: 'yesterday', version: 'naive', kind: 'naive' } as const

  test.each([
    ['live', 'Live: it is better.', { tag: 'Live', tone: 'accent', sentence: 'It is better.' }],
    ['challenger', 'Challenger: too few.', { tag: 'Challenger', tone: 'trial', sentence: 'Too few.' }],
    ['rejected', 'Rejected: it is worse.', { tag: 'Rejected', tone: 'amber', sentence: 'It is worse.' }],
    ['retired', 'Replaced by 3.', { tag: 'Retired', tone: 'muted', sentence: 'Replaced by 3.' }],
    ['refused', 'Files are cut.', { tag: 'Refused', tone: 'red', sentence: 'Files are cut.' }],
  ] as const)('of a %s version says so once', (status, reason, verdict) => {
    expect(verdictOf(card({ status, reason }))).toEqual(verdict)
  })

  test('of the naive forecast calls it so', () => {
    const reason = 'Naive forecast: too little data.'
    expect(verdictOf(card({ model: naive, reason }))).toEqual({
      tag: 'Naive',
      tone: 'muted',
      sentence: 'Too little data.',
    })
  })

  const verdict = { status: 'rejected', reason: 'Rejected: it is worse.', comparisons: {} } as const

  test('of the gate is told beside what was decided since, and not twice', () => {
    expect(gateSentence(card({ verdict, reason: 'Made live by force.' }))).toBe('It is worse.')
    expect(gateSentence(card({ verdict, reason: `Another one is tried. ${verdict.reason}` }))).toBeUndefined()
  })

  test('that belongs to the naive forecast is that of the newest learnt version', () => {
    const speaks = card({ model: naive })
    expect(judgedOf(speaks, [speaks, card({ trainedAt: 9 }), card()])?.trainedAt).toBe(9)
    expect(judgedOf(speaks, [speaks])).toBeUndefined()
    const own = card()
    expect(judgedOf(own, [card({ trainedAt: 9 }), own])).toBe(own)
  })

  test('to roll back to is the learnt version that lost its place last', () => {
    const early = card({ status: 'retired', since: 3 })
    const late = card({ status: 'retired', since: 5, trainedAt: 1 })
    const others = [
      card(),
      card({ status: 'rejected', since: 9 }),
      card({ model: naive, status: 'retired', since: 9 }),
    ]
    expect(predecessorOf([...others, early, late])).toBe(late)
    expect(predecessorOf(others)).toBeUndefined()
  })

  test.each([
    [{ days: 53, gain: 0.12, p: 0.0001 }, -0.12, 'less than 1 in 1000'],
    [{ days: 53, gain: 0.12, p: 0.04 }, -0.12, '1 in 25'],
    [{ days: 53, gain: 0.01, p: 0.45 }, -0.01, '1 in 2'],
    [{ days: 53, gain: -0.1, p: 0.9 }, 0.1, 'not better'],
    [{ days: 2, gain: 0.5, p: 1 }, -0.5, 'too few days'],
    [{ days: 0, gain: 0, p: 1 }, undefined, 'too few days'],
  ])('of a comparison %j shows the change and how likely chance is', (comparison, change, chance) => {
    const comparisons = { live: comparison }
    expect(comparisonRows(card({ verdict: { ...verdict, comparisons } }))).toEqual([
      { rival: 'live', isLive: true, change, days: comparison.days, chance },
    ])
  })
})

describe('the steps of a forecast', () => {
  const quarter = hour / 4
  const mixed = forecast({
    origin: 8 * hour,
    grid: [
      { stepMs: quarter, count: 2 },
      { stepMs: 12 * hour, count: 3 },
    ],
    mean: [1, null, 2, 3, 4],
    baseline: [1, 1, 1, 1, null],
    quantiles: [
      { level: 0.05, values: [0, 0, 0, 0, null] },
      { level: 0.95, values: [9, 9, 9, 9, null] },
    ],
  })

  test('follow the runs of its grid, null where a column does not know', () => {
    const start = 8 * hour
    expect(stepsOf(mixed).map(({ at, mean, hi }) => [at - start, mean, hi])).toEqual([
      [0, 1, 9],
      [quarter, null, 9],
      [2 * quarter, 2, 9],
      [2 * quarter + 12 * hour, 3, 9],
      [2 * quarter + 24 * hour, 4, null],
    ])
    expect(endOf(mixed)).toBe(start + 2 * quarter + 36 * hour)
    expect(boundsOf(mixed)?.level).toBe(0.9)
    expect(boundsOf(forecast())).toBeUndefined()
  })

  test('add up to the total of the first day', () => {
    expect(totalOf(forecast())).toBe(0.75)
    expect(totalOf(mixed)).toBe(6)
  })
})

describe('hourly energy', () => {
  const rollup = (at: number, over: Partial<Rollup>): Rollup => ({
    at,
    count: 2,
    min: 0,
    max: 0,
    mean: 0,
    first: 0,
    last: 0,
    ...over,
  })

  test('is the sum of its quarter-hours, and left out where one is unknown', () => {
    const hours = [rollup(0, { mean: 0.2, count: 4 }), rollup(hour, { mean: 0.2, count: 3 })]
    expect(hourlyEnergy(hours)).toEqual([{ at: 0, value: 0.8 }])
  })

  test('stands on one time axis with the forecast', () => {
    expect(joinTimes([{ at: 0, value: 2 }], [{ at: 0 }, { at: hour }])).toEqual({
      at: [0, hour],
      measured: [2, null],
    })
  })
})
