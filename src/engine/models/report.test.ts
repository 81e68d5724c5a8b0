import { describe, expect, it } from 'vitest'
import { addDays, dayStart } from '../../core/calendar.ts'
import type { Card } from '../../core/event.ts'
import type { LeadSums, ReportDay } from '../../core/life.ts'
import { createRandom } from '../../ml/random.ts'
import { noSums, psiOfResiduals, reportCard } from './report.ts'

const target = { site: 'home', domain: 'energy', subject: 'fridge' }
const key = { target, metric: 'energy' }
const zone = 'Europe/Paris'
const first = dayStart(zone, Date.parse('2026-03-28T12:00:00Z'))
const of = { ...key, version: 'v1', zone }

const day = (
  index: number,
  leads: readonly Partial<LeadSums>[],
  rest: Partial<ReportDay> = {},
): ReportDay => ({
  ...key,
  version: 'v1',
  day: addDays(zone, first, index),
  leads: leads.map((lead) => ({ ...noSums, ...lead })),
  knownMs: 3_600_000 * Math.max(0, ...leads.map(({ count = 0 }) => count)),
  residualBins: new Array<number>(10).fill(0),
  ...rest,
})

const deciles = [-4, -3, -2, -1, 0, 1, 2, 3, 4]

const card = (rest: Partial<Card> = {}): Card => ({
  ...key,
  decidedBy: 'rmse',
  model: { name: 'energy', version: 'v1', kind: 'learned' },
  trainedAt: first,
  span: { from: first, to: first, steps: 0 },
  features: [],
  folds: 0,
  scoredSteps: 0,
  unit: 'kWh',
  scores: {},
  coverage: { level: 0.9, measured: 0.91, steps: 100 },
  verdict: { status: 'live', reason: '', comparisons: {} },
  residualDeciles: deciles,
  repairs: {},
  ...rest,
})

describe('a report card', () => {
  it('tells errors by lead time and over all, from the days of its version', () => {
    const naive = (absolute: number, squared: number) => ({
      baselineCount: 2,
      baseline: { absolute, squared },
    })
    const good = { count: 2, error: 2, losses: { absolute: 4, squared: 8 }, ...naive(6, 32) }
    const days = [
      day(1, [good, { count: 2, losses: { squared: 18 }, ...naive(0, 18), withInterval: 2, inside: 1 }]),
      day(0, [{ ...good, withInterval: 2, inside: 2 }]),
      day(2, [{ count: 50, losses: { squared: 1000 } }], { version: 'v2' }),
    ]
    const report = reportCard(of, days, card())
    expect(report).toMatchObject({
      ...key,
      version: 'v1',
      decidedBy: 'rmse',
      from: first,
      // the second day is the one of 23 hours
      to: first + 47 * 3_600_000,
      days: 2,
      truths: 4,
      leads: [
        {
          lead: 1,
          count: 4,
          bias: 1,
          scores: { mae: 2, rmse: 2 },
          baseline: { mae: 3, rmse: 4 },
          skill: 0.5,
          coverage: 1,
          level: 0.9,
        },
        { lead: 2, count: 2, scores: { rmse: 3 }, baseline: { rmse: 3 }, skill: 0, coverage: 0.5 },
      ],
      total: {
        count: 6,
        scores: { mae: 8 / 6 },
        coverage: 0.75,
        skill: expect.closeTo(1 - Math.sqrt(34 / 82), 12),
      },
    })
  })

  it('compares by the measure that decides, whatever its name', () => {
    const sums = { count: 4, losses: { brier: 1 }, baselineCount: 4, baseline: { brier: 2 } }
    const report = reportCard(of, [day(0, [sums])], card({ decidedBy: 'brier' }))
    expect(report.total).toMatchObject({ scores: { brier: 0.25 }, baseline: { brier: 0.5 }, skill: 0.5 })
  })

  it.each([
    ['no days', []],
    ['days on which nothing was known', [day(0, [{}, {}])]],
    [
      'a naive forecast without error',
      [day(0, [{ count: 1, losses: { squared: 1 }, baselineCount: 1, baseline: { squared: 0 } }])],
    ],
  ])('of %s holds null and no NaN', (_, days) => {
    const report = reportCard(of, days, undefined, [
      { target, version: 'v1', at: 0, psi: { broken: Number.NaN } },
    ])
    expect(report.total.skill).toBeNull()
    expect(report).toMatchObject({ residualPsi: null, inputPsi: null, drift: 'none' })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  it('names the five inputs that moved most, by the newest look', () => {
    const psi = { a: 0.01, b: 0.2, c: 0.03, d: Number.NaN, e: 0.05, f: 0.04, g: 0.02 }
    const report = reportCard(of, [], card(), [
      { target, version: 'v1', at: 2, psi },
      { target, version: 'v1', at: 1, psi: { a: 9 } },
      { target, version: 'v2', at: 3, psi: { a: 9 } },
    ])
    expect(report.inputPsi?.worst.map(({ name }) => name)).toEqual(['b', 'e', 'f', 'c', 'g'])
    expect(report.inputPsi?.beyondUsual).toBe(0.2)
    expect(report.drift).toBe('some')
  })

  it.each([
    [0.099, 'none'],
    [0.1, 'some'],
    [0.249, 'some'],
    [0.25, 'strong'],
  ])('calls a PSI of %d %s', (psi, drift) => {
    expect(reportCard(of, [], card(), [{ target, version: 'v1', at: 0, psi: { a: psi } }]).drift).toBe(drift)
  })

  it('holds an input against what its own weeks did: a slow one that is far from the rest has not drifted', () => {
    const usual = { slow: 4.8, fast: 0.02 }
    const drift = { target, version: 'v1', at: 0, psi: { slow: 6.7, fast: 0.09 }, usual }
    const report = reportCard(of, [], card(), [drift])
    expect(report.inputPsi).toEqual({
      worst: [
        { name: 'fast', psi: 0.09, usual: 0.02, beyondUsual: expect.closeTo(0.06) },
        { name: 'slow', psi: 6.7, usual: 4.8, beyondUsual: 0 },
      ],
      beyondUsual: expect.closeTo(0.06),
    })
    expect(report.drift).toBe('none')
    expect(reportCard(of, [], card(), [{ ...drift, psi: { slow: 7.5 } }]).drift).toBe('strong')
  })

  it('says how far errors have moved once there is a week of them', () => {
    const moved = { residualBins: [0, 0, 0, 0, 0, 0, 0, 0, 0, 24] }
    const days = (count: number): ReportDay[] =>
      Array.from({ length: count }, (_, index) => day(index, [{ count: 24, losses: { squared: 24 } }], moved))
    expect(reportCard(of, days(6), card()).residualPsi).toBeNull()
    const report = reportCard(of, days(7), card())
    expect(report.residualPsi).toBeGreaterThan(2)
    expect(report.drift).toBe('strong')
    expect(reportCard(of, days(7), card({ residualDeciles: [] })).residualPsi).toBeNull()
  })
})

describe('the stability of errors', () => {
  const sorted = (values: readonly number[], between: readonly number[]): number[] => {
    const counts = new Array<number>(10).fill(0)
    for (const value of values) counts[between.filter((decile) => value > decile).length]!++
    return counts
  }

  it.each([
    ['as they were', 0, 1, 0, 0.02],
    ['wider by half', 0, 1.5, 0.1, 0.3],
    ['off by their own spread', 1, 1, 0.7, 1.5],
  ])('of errors %s', (_, mean, spread, from, to) => {
    const normal = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816]
    const random = createRandom(5)
    const psi = psiOfResiduals(
      normal,
      sorted(
        Array.from({ length: 2000 }, () => mean + spread * random.normal()),
        normal,
      ),
    )
    expect(psi).toBeGreaterThanOrEqual(from)
    expect(psi).toBeLessThan(to)
  })

  it('is not upset by a device that is mostly off, whose deciles coincide', () => {
    const ties = [-2, -1, 0, 0, 0, 0, 0, 1, 2]
    const values = [-3, -1.5, -0.5, 0, 0, 0, 0, 0.5, 1.5, 3].flatMap((value) =>
      new Array<number>(100).fill(value),
    )
    expect(psiOfResiduals(ties, sorted(values, ties))).toBeLessThan(0.1)
    // the plain bins would call it strong
    const apart = [-2, -1, 0, 0.1, 0.2, 0.3, 0.4, 1, 2]
    expect(psiOfResiduals(apart, sorted(values, apart))).toBeGreaterThan(0.25)
  })

  it('is unknown without deciles or errors', () => {
    expect(psiOfResiduals([], new Array<number>(10).fill(5))).toBeNull()
    expect(psiOfResiduals(deciles, new Array<number>(10).fill(0))).toBeNull()
  })
})
