import { beforeEach, describe, expect, it } from 'vitest'
import { fridge, modelOf } from '../../../test/crash/registry-kit.ts'
import type { SeriesKey } from '../../core/event.ts'
import type { ForgottenSpan } from '../../core/life.ts'
import type { Ledger } from '../../core/ports.ts'
import { hourMs } from '../../core/time.ts'
import type { Steps } from '../../domains/domain.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { Forgotten } from './forgotten.ts'

const start = Date.parse('2026-06-01T00:00:00Z')
const hour = (index: number): number => start + index * hourMs

/** What the fridge's energy is learnt from. */
const power: SeriesKey = { site: 'home', device: 'fridge', metric: 'power' }
const energy: SeriesKey = { ...power, metric: 'energy' }
const day: Steps = {
  ...{ start, stepMs: hourMs, unit: 'kWh', repairs: { gaps: 2 } },
  values: Float64Array.from({ length: 24 }, (_, index) => index),
}

const spanOf = (from: number, to: number, change: Partial<ForgottenSpan> = {}): ForgottenSpan => {
  const { id = `${from}` } = change
  return { id, series: power, from, to, reason: 'The sensor fell down.', by: 'olga', at: hour(30), ...change }
}

let ledger: Ledger
let forgotten: Forgotten
beforeEach(async () => {
  ledger = createMemoryLedger()
  forgotten = new Forgotten(ledger.notes)
  await forgotten.load()
})

/** Hours that are left out of the day, whatever the fridge's energy is learnt from. */
const leftOut = (steps = day): number[] => {
  const { values } = forgotten.leaveOut(steps, power, energy)
  return [...values].flatMap((value, index) => {
    if (!Number.isNaN(value)) expect(value).toBe(steps.values[index])
    return Number.isNaN(value) ? [index] : []
  })
}

describe('steps to learn from', () => {
  it.each<[string, number, number, number[]]>([
    ['whole hours', hour(3), hour(5), [3, 4]],
    ['an hour that is touched at its end', hour(3) + hourMs - 1, hour(4), [3]],
    ['an hour that is touched at its start', hour(3), hour(3) + 1, [3]],
    ['both hours about a moment', hour(4) - 1, hour(4) + 1, [3, 4]],
    ['nothing of the hour at which the span ends', hour(2), hour(3), [2]],
    ['nothing where it ends as they begin', hour(-5), hour(0), []],
    ['nothing where it begins as they end', hour(24), hour(30), []],
    ['all, where it is longer than they are', hour(-5), hour(30), [...Array(24).keys()]],
  ])('lose %s', async (_, from, to, hours) => {
    await forgotten.add(spanOf(from, to))
    expect(leftOut()).toEqual(hours)
  })

  it('lose what is forgotten of the series that they are learnt from, and of the one that is learnt', async () => {
    await forgotten.add(spanOf(hour(1), hour(2)))
    await forgotten.add(spanOf(hour(3), hour(4), { series: energy }))
    expect(leftOut()).toEqual([1, 3])
    expect([...forgotten.leaveOut(day, energy).values].findIndex(Number.isNaN)).toBe(3)
  })

  it.each<[string, Partial<SeriesKey>]>([
    ['another metric', { metric: 'temperature' }],
    ['another device', { device: 'oven' }],
    ['another site', { site: 'cabin' }],
  ])('lose nothing by %s', async (_, change) => {
    await forgotten.add(spanOf(hour(1), hour(2), { series: { ...power, ...change } }))
    expect(forgotten.leaveOut(day, power, energy)).toBe(day)
  })

  it('tell with the repairs how many they lost, each once, and not those that were unknown before', async () => {
    await forgotten.add(spanOf(hour(1), hour(4)))
    await forgotten.add(spanOf(hour(3), hour(6)))
    const values = day.values.slice()
    values[2] = Number.NaN
    const { repairs } = forgotten.leaveOut({ ...day, values }, power)
    expect(repairs).toEqual({ gaps: 2, forgotten: 4 })
  })

  it('are not changed themselves: what is taken back is there again', async () => {
    const before = day.values.slice()
    await forgotten.add(spanOf(hour(1), hour(2)))
    leftOut()
    expect(day.values).toEqual(before)
  })
})

describe('a span', () => {
  it('is taken back by its id, and only once', async () => {
    await forgotten.add(spanOf(hour(1), hour(2), { id: 'a' }))
    await forgotten.add(spanOf(hour(5), hour(6), { id: 'b' }))
    expect(await forgotten.remove('a')).toBe(true)
    expect(leftOut()).toEqual([5])
    expect(await forgotten.remove('a')).toBe(false)
    expect(forgotten.all().map(({ id }) => id)).toEqual(['b'])
  })

  it('is known again after a restart, and one that was taken back is not', async () => {
    const kept = spanOf(hour(1), hour(2), { id: 'kept' })
    await forgotten.add(kept)
    await forgotten.add(spanOf(hour(5), hour(6), { id: 'back' }))
    await forgotten.remove('back')
    forgotten = new Forgotten(ledger.notes)
    expect(forgotten.all()).toEqual([])
    await forgotten.load()
    expect(forgotten.all()).toEqual([kept])
    expect(leftOut()).toEqual([1])
  })

  it('goes with its site, and only with it', async () => {
    await forgotten.add(spanOf(hour(1), hour(2), { id: 'a' }))
    await forgotten.add(spanOf(hour(1), hour(2), { id: 'b', series: { ...power, site: 'cabin' } }))
    forgotten.removeSite('home')
    expect(forgotten.all().map(({ id }) => id)).toEqual(['b'])
    expect(leftOut()).toEqual([])
  })
})

describe('a model that learnt from what was forgotten later', () => {
  /** Learnt from the day, at its end. */
  const { card } = modelOf('v1', fridge, {
    trainedAt: hour(24),
    span: { from: hour(0), to: hour(24), steps: 24 },
  })
  const touches = (): boolean => forgotten.touches(card, power, energy)

  it.each<[string, Partial<ForgottenSpan>, boolean]>([
    ['is told where the span lies in its days', {}, true],
    ['is told where only the last moment does', { from: hour(24) - 1, to: hour(40) }, true],
    ['is told where only the first moment does', { from: hour(-9), to: hour(0) + 1 }, true],
    ['is told where it is the series itself', { series: energy }, true],
    ['is told where it was forgotten as it was learnt', { at: hour(24) }, true],
    ['is not where the span begins as its days end', { from: hour(24), to: hour(25) }, false],
    ['is not where the span ends as its days begin', { from: hour(-9), to: hour(0) }, false],
    ['is not where it was forgotten before: it was left out', { at: hour(24) - 1 }, false],
    ['is not by another series', { series: { ...power, device: 'oven' } }, false],
  ])('%s', async (_, change, told) => {
    await forgotten.add(spanOf(hour(5), hour(6), change))
    expect(touches()).toBe(told)
  })

  it('is none any more once the span is taken back', async () => {
    await forgotten.add(spanOf(hour(5), hour(6), { id: 'a' }))
    expect(touches()).toBe(true)
    await forgotten.remove('a')
    expect(touches()).toBe(false)
  })
})
