import { beforeEach, describe, expect, it } from 'vitest'
import { addDays, dayStart } from '../../core/calendar.ts'
import type { Card, Forecast, ForecastStep } from '../../core/event.ts'
import type { ReportDay } from '../../core/life.ts'
import type { WatchLedger } from '../../core/ports.ts'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { Watch, type WatchRow } from './watch.ts'

const series = { site: 'home', device: 'fridge', metric: 'energy' }
const zone = 'Europe/Paris'
const start = Date.parse('2026-01-05T00:00:00Z')

/** Hours after `start`. */
const hour = (count: number): number => start + count * hourMs

interface Said {
  readonly origin: number
  readonly version?: string
  readonly steps: readonly Partial<ForecastStep>[]
}

/** One step an hour from `origin` (hours after `start`) on. */
function forecast({ origin, version = 'v1', steps }: Said): Forecast {
  return {
    ...series,
    unit: 'kWh',
    origin: hour(origin),
    madeAt: hour(origin) + 1000,
    stepMs: hourMs,
    level: 0.9,
    model: { name: 'energy', version, kind: version === 'naive' ? 'naive' : 'learned' },
    naiveName: 'yesterday',
    steps: steps.map((step, lead) => ({ at: hour(origin + lead), mean: 0, naive: 0, ...step })),
  }
}

const said = (spoken: Forecast, ...shadows: Forecast[]) => ({ spoken, shadows, drifts: [] })

/** The truth of the hours from `start` on. */
const truth = (values: readonly number[], cards: readonly Card[] = []): WatchRow => ({
  series,
  zone,
  steps: { start, stepMs: hourMs, values: Float64Array.from(values) },
  cards: new Map(cards.map((card) => [card.model.version, card])),
})

let ledger: WatchLedger
let watch: Watch

beforeEach(async () => {
  const whole = createMemoryLedger()
  await whole.open()
  ledger = whole.watch
  watch = new Watch(ledger)
})

const allDays = (of = series): Promise<ReportDay[]> => ledger.days(of, 0, Number.MAX_SAFE_INTEGER)

describe('what was said is scored', () => {
  it('by lead time, beside the naive forecast, with its interval and between the deciles of its card', async () => {
    await watch.log([
      said(
        forecast({
          origin: 2,
          steps: [
            { mean: 5, naive: 1, lo: 2.5, hi: 6 },
            { mean: 3, naive: 8, lo: 1, hi: 3.5 },
          ],
        }),
      ),
      said(forecast({ origin: 3, steps: [{ mean: 4.5, naive: 8 }] })),
    ])
    const deciles = [-4, -3, -2, -1, 0, 0.5, 1, 2, 3]
    await watch.pass([truth([9, 9, 3, 4], [cardOf('v1', deciles)])])
    const none = { withInterval: 0, inside: 0 }
    expect(await allDays()).toEqual([
      {
        series,
        version: 'v1',
        day: dayStart(zone, start),
        leads: [
          // errors 5 - 3 and 4.5 - 4, naive 1 - 3 and 8 - 4
          {
            ...none,
            count: 2,
            error: 2.5,
            absolute: 2.5,
            squared: 4.25,
            naiveAbsolute: 6,
            naiveSquared: 20,
            withInterval: 1,
            inside: 1,
          },
          // error 3 - 4, naive 8 - 4, and 4 is above 3.5
          {
            ...none,
            count: 1,
            error: -1,
            absolute: 1,
            squared: 1,
            naiveAbsolute: 4,
            naiveSquared: 16,
            withInterval: 1,
          },
        ],
        truths: 2,
        // -1 up to its decile, 0.5 up to its, 2 up to its
        residualBins: [0, 0, 0, 1, 0, 1, 0, 1, 0, 0],
      },
    ])
  })

  it('once, however often it is passed, also by calls that overlap', async () => {
    await watch.log([said(forecast({ origin: 0, steps: [{ mean: 1 }, { mean: 1 }, { mean: 1 }] }))])
    await Promise.all([watch.pass([truth([0, 0])]), watch.pass([truth([0, 0])])])
    await watch.pass([truth([0, 0, 0])])
    await watch.pass([truth([0])])
    await watch.pass([truth([0, 0, 0])])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([1, 1, 1])
    expect(await ledger.scoredTo(series)).toBe(hour(3))
  })

  it('in shadow as well as aloud, and the naive forecast where it speaks itself, on the same hours', async () => {
    await watch.log([
      said(
        forecast({ origin: 0, version: 'naive', steps: [{ mean: 2, naive: 2 }] }),
        forecast({ origin: 0, version: 'v2', steps: [{ mean: 1, naive: 2 }] }),
      ),
    ])
    await watch.pass([truth([0])])
    const found = (await allDays()).map(({ version, leads: [lead] }) => [
      version,
      lead?.squared,
      lead?.naiveSquared,
    ])
    expect(found).toEqual([
      ['naive', 4, 4],
      ['v2', 1, 4],
    ])
  })

  it('as it was said last of the same origin', async () => {
    await watch.log([said(forecast({ origin: 0, steps: [{ mean: 7 }] }))])
    await watch.log([said(forecast({ origin: 0, steps: [{ mean: 2 }] }))])
    await watch.pass([truth([0])])
    expect((await allDays())[0]?.leads[0]).toMatchObject({ count: 1, absolute: 2 })
  })

  it.each([
    ['whose truth is unknown', { truths: [Number.NaN, 0], steps: [{}, {}] }],
    ['of which the model said no number', { truths: [0, 0], steps: [{ mean: Number.NaN }, {}] }],
    ['of which the naive forecast said none', { truths: [0, 0], steps: [{ naive: Number.NaN }, {}] }],
  ])('but not on hours %s', async (_, { truths, steps }) => {
    await watch.log([said(forecast({ origin: 0, steps }))])
    await watch.pass([truth(truths)])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([0, 1])
    // late truth changes no report
    await watch.pass([truth([0, 0])])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([0, 1])
  })

  it('never on what lay before its origin: such a forecast is refused, as is one that reaches too far', async () => {
    const early = forecast({ origin: 2, steps: [{ at: hour(1) }] })
    await expect(watch.log([said(early)])).rejects.toThrow(RangeError)
    const long = forecast({ origin: 0, steps: [{}, { at: hour(48) }] })
    await expect(watch.log([said(long)])).rejects.toThrow(RangeError)
    expect(await ledger.logged(series, 0, Number.MAX_SAFE_INTEGER)).toEqual([])
    // nor if it were in the ledger already
    await ledger.log([{ forecast: early, spoken: true }])
    await expect(watch.pass([truth([0, 0, 0])])).rejects.toThrow(RangeError)
  })

  it('of each series by itself, each once in a pass', async () => {
    const other = { ...series, device: 'heater' }
    await watch.log([said({ ...forecast({ origin: 0, steps: [{ mean: 3 }] }), ...other })])
    await watch.pass([truth([0]), { ...truth([1, 1]), series: other }])
    expect(await allDays()).toEqual([])
    expect((await allDays(other))[0]?.leads[0]).toMatchObject({ count: 1, error: 2 })
    await expect(watch.pass([truth([0, 0]), truth([0, 0])])).rejects.toThrow(RangeError)
  })

  it('with the drift that came along kept', async () => {
    const drift = { series, version: 'v1', at: hour(0), psi: { lag24: 0.3 } }
    await watch.log([{ ...said(forecast({ origin: 0, steps: [{}] })), drifts: [drift] }])
    expect(await ledger.drifts(series)).toEqual([drift])
  })
})

describe('civil days', () => {
  it.each([
    ['2026-03-29T12:00:00Z', 23],
    ['2026-06-15T12:00:00Z', 24],
    ['2026-10-25T12:00:00Z', 25],
  ])('around %s get all their %d hours', async (noon, hours) => {
    const day = dayStart(zone, Date.parse(noon))
    const from = addDays(zone, day, -1)
    const to = addDays(zone, day, 2)
    const count = (to - from) / hourMs
    const spoken = { ...forecast({ origin: 0, steps: [] }), origin: from }
    const values = new Float64Array(count).fill(1)
    for (let index = 0; index < count; index++) {
      const origin = from + index * hourMs
      const steps = [0, 1].map((lead) => ({ at: origin + lead * hourMs, mean: 0, naive: 0 }))
      await watch.log([said({ ...spoken, origin, steps })])
      const steps1 = { start: from, stepMs: hourMs, values: values.slice(0, index + 1) }
      await watch.pass([{ ...truth([]), steps: steps1 }])
    }
    const found = (await allDays()).find((one) => one.day === day)
    expect(found?.leads.map((lead) => lead.count)).toEqual([hours, hours])
  })
})

describe('a long run', () => {
  /** Two versions forecast 24 hours every hour; truth comes in uneven portions with holes. */
  const length = 24 * 20
  const random = createRandom(11)
  const truths = Array.from({ length }, () => (random.next() < 0.1 ? Number.NaN : random.normal()))
  const forecasts = new Map<number, Forecast[]>()
  const at: number[] = []
  for (let origin = 24; origin < length; origin += 1 + random.below(5)) {
    at.push(origin)
    forecasts.set(
      origin,
      ['v1', 'v2'].map((version) =>
        forecast({
          origin,
          version,
          steps: Array.from({ length: 24 }, () => ({ mean: random.normal(), naive: random.normal() })),
        }),
      ),
    )
  }

  const run = async (onLedger: WatchLedger, watchOf: (pass: number) => Watch): Promise<void> => {
    for (const [index, origin] of at.entries()) {
      const current = watchOf(index)
      // a pass that fails is made up for by the next one
      await current.pass([truth(truths.slice(0, origin))]).catch(() => undefined)
      const [spoken, shadow] = forecasts.get(origin)!
      await current.log([said(spoken!, shadow!)])
    }
    await new Watch(onLedger).pass([truth(truths)])
  }

  it('adds up to what one look at everything gives', async () => {
    await run(ledger, () => watch)
    let [count, squared, naiveSquared] = [0, 0, 0]
    for (const made of [...forecasts.values()].flat())
      for (const { at: time, mean, naive } of made.steps) {
        const value = truths[(time - start) / hourMs]
        if (made.model.version !== 'v2' || value === undefined || Number.isNaN(value)) continue
        count++
        squared += (mean - value) ** 2
        naiveSquared += (naive - value) ** 2
      }
    const leads = (await allDays()).filter(({ version }) => version === 'v2').flatMap((day) => day.leads)
    const total = (of: 'count' | 'squared' | 'naiveSquared'): number =>
      leads.reduce((sum, lead) => sum + lead[of], 0)
    expect(total('count')).toBe(count)
    expect(total('squared')).toBeCloseTo(squared, 8)
    expect(total('naiveSquared')).toBeCloseTo(naiveSquared, 8)
  })

  it('gives the same sums when the program starts anew in between', async () => {
    await run(ledger, () => watch)
    const expected = await allDays()
    const fresh = createMemoryLedger()
    await fresh.open()
    await run(fresh.watch, () => new Watch(fresh.watch))
    expect(await fresh.watch.days(series, 0, Number.MAX_SAFE_INTEGER)).toEqual(expected)
  })

  it('gives the same sums when every third write of the sums fails', async () => {
    await run(ledger, () => watch)
    const fresh = createMemoryLedger()
    await fresh.open()
    let writes = 0
    const faulty: WatchLedger = {
      ...fresh.watch,
      score: (days, scoredTo) =>
        ++writes % 3 === 0 ? Promise.reject(new Error('disk')) : fresh.watch.score(days, scoredTo),
    }
    const one = new Watch(faulty)
    await run(fresh.watch, () => one)
    const [found, expected] = [await fresh.watch.days(series, 0, Number.MAX_SAFE_INTEGER), await allDays()]
    expect(found.length).toBe(expected.length)
    // portions differ, so sums may differ in their last bits
    found.forEach((day, index) => {
      day.leads.forEach((lead, at) => {
        expect(lead.count).toBe(expected[index]!.leads[at]!.count)
        expect(lead.squared).toBeCloseTo(expected[index]!.leads[at]!.squared, 9)
      })
    })
  })
})

function cardOf(version: string, residualDeciles: readonly number[]): Card {
  return {
    series,
    model: { name: 'energy', version, kind: 'learned' },
    trainedAt: start,
    span: { from: start, to: start, steps: 0 },
    features: [],
    folds: 0,
    scoredSteps: 0,
    unit: 'kWh',
    scores: {},
    verdict: { standing: 'live', reason: '', duels: {} },
    residualDeciles,
    repairs: {},
  }
}
