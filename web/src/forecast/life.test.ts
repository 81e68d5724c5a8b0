import { describe, expect, test } from 'vitest'
import type { ModelEvent, Report } from '../api/types.ts'
import { errorsByLead, errorsMoved, livePeriods, movedInputs } from './life.ts'

const target = { site: 'home', domain: 'energy', subject: 'kettle' }

const event = (at: number, version: string, status: ModelEvent['status'], by = 'gate'): ModelEvent => ({
  target,
  version,
  at,
  status,
  reason: `${version} ${status}`,
  by,
})

const told = (events: readonly ModelEvent[]) =>
  livePeriods(events.toReversed()).map(({ version, from, to }) => [version, from, to])

describe('what was live when', () => {
  test('is nothing where no version ever was', () => {
    expect(told([event(1, 'v1', 'rejected'), event(2, 'v2', 'challenger')])).toEqual([])
  })

  test.each([
    ['told first', [event(5, 'v2', 'live'), event(5, 'v1', 'retired')]],
    ['told last', [event(5, 'v1', 'retired'), event(5, 'v2', 'live')]],
  ])('passes from one to the next, newest first, the new one %s', (_, change) => {
    expect(told([event(1, 'v1', 'live'), ...change, event(7, 'v3', 'rejected')])).toEqual([
      ['v2', 5, undefined],
      ['v1', 1, 5],
    ])
  })

  test('is the naive forecast where the guard took a version back and none stood in', () => {
    const periods = livePeriods([event(9, 'v1', 'rejected', 'guard'), event(1, 'v1', 'live')])
    expect(periods.map(({ version, naive, by }) => [version, naive, by])).toEqual([
      ['naive', true, 'guard'],
      ['v1', false, 'gate'],
    ])
  })

  test('is the one before where a rollback went to it', () => {
    const back = [
      event(9, 'v1', 'live', 'guard'),
      event(9, 'v2', 'retired'),
      event(10, 'v2', 'rejected', 'guard'),
    ]
    expect(
      told([event(1, 'v1', 'live'), event(4, 'v2', 'live'), event(4, 'v1', 'retired'), ...back]),
    ).toEqual([
      ['v1', 9, undefined],
      ['v2', 4, 9],
      ['v1', 1, 4],
    ])
  })
})

const nothing = {
  count: 0,
  bias: null,
  scores: {},
  baseline: {},
  skill: null,
  coverage: null,
  level: null,
}

const report = (over: Partial<Report>): Report => ({
  target,
  metric: 'energy',
  decidedBy: 'rmse',
  version: 'v1',
  from: null,
  to: null,
  days: 0,
  truths: 0,
  total: nothing,
  leads: [],
  residualPsi: null,
  inputPsi: null,
  drift: 'none',
  ...over,
})

test('errors by lead time have a hole where nothing is known', () => {
  const leads = [
    { ...nothing, lead: 1, scores: { rmse: 0.1, mae: 9 }, baseline: { rmse: 0.2 } },
    { ...nothing, lead: 2 },
  ]
  expect(errorsByLead(report({ leads }))).toEqual({ hours: [1, 2], own: [0.1, null], naive: [0.2, null] })
})

describe('drift', () => {
  test('names the three inputs that moved most, and none that stood still', () => {
    const worst = [0.9, 0.5, 0.2, 0.15, 0.05].map((psi) => ({
      name: `at ${psi}`,
      psi,
      usual: 0,
      beyondUsual: psi,
    }))
    const moved = (some: typeof worst) => movedInputs(report({ inputPsi: { beyondUsual: 0.9, worst: some } }))
    const names = (from: number) => moved(worst.slice(from)).map(({ psi }) => psi)
    // a mean of a week lies far from the rest in any week
    expect(moved([{ name: 'mean_168h', psi: 6.7, usual: 5, beyondUsual: 0 }])).toEqual([])
    expect(names(0)).toEqual([0.9, 0.5, 0.2])
    expect(names(3)).toEqual([0.15])
    expect(movedInputs(report({}))).toEqual([])
  })

  test('of the errors is told from a stability index of 0.1 on', () => {
    expect([null, 0.09, 0.1].map((residualPsi) => errorsMoved(report({ residualPsi })))).toEqual([
      false,
      false,
      true,
    ])
  })
})
