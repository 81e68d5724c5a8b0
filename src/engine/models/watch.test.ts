import { beforeEach, describe, expect, it } from 'vitest'
import { addDays, dayStart } from '../../core/calendar.ts'
import type { Card, Forecast } from '../../core/event.ts'
import type { LeadSums, ReportDay } from '../../core/life.ts'
import type { WatchLedger } from '../../core/ports.ts'
import { hourMs } from '../../core/time.ts'
import { forecastLosses } from '../../ml/losses.ts'
import { createRandom } from '../../ml/random.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { Watch, type WatchRow } from './watch.ts'

const target = { site: 'home', domain: 'energy', subject: 'fridge' }
const of = { target, metric: 'energy' }
const zone = 'Europe/Paris'
const start = Date.parse('2026-01-05T00:00:00Z')

/** Hours after `start`. */
const hour = (count: number): number => start + count * hourMs

interface Row {
  readonly mean?: number
  readonly naive?: number
  readonly lo?: number
  readonly hi?: number
}

interface Made {
  readonly origin: number
  readonly version?: string
  readonly steps: readonly Row[]
}

/** One step an hour from `origin` (hours after `start`) on. */
function forecast({ origin, version = 'v1', steps }: Made): Forecast {
  const column = (of: (row: Row) => number): Float64Array => Float64Array.from(steps, of)
  return {
    kind: 'forecast',
    ...of,
    unit: 'kWh',
    origin: hour(origin),
    madeAt: hour(origin) + 1000,
    model: { name: 'energy', version, kind: version === 'naive' ? 'naive' : 'learned' },
    grid: [{ stepMs: hourMs, count: steps.length }],
    mean: column(({ mean = 0 }) => mean),
    baseline: column(({ naive = 0 }) => naive),
    baselineName: 'yesterday',
    quantiles: [
      { level: 0.05, values: column(({ lo = Number.NaN }) => lo) },
      { level: 0.95, values: column(({ hi = Number.NaN }) => hi) },
    ],
  }
}

const made = (published: Forecast, ...shadows: Forecast[]) => ({ published, shadows, drifts: [] })

const loss: WatchRow['loss'] = (forecast, truth) => forecastLosses(forecast, truth, 'sum')

/** The truth of the hours from `start` on. */
const truth = (values: readonly number[], cards: readonly Card[] = []): WatchRow => ({
  ...of,
  zone,
  loss,
  truth: { start, stepMs: hourMs, values: Float64Array.from(values) },
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

const allDays = (key = of): Promise<ReportDay[]> => ledger.days(key, 0, Number.MAX_SAFE_INTEGER)

describe('what was forecast is scored', () => {
  it('by lead time, beside the naive forecast, with its interval and between the deciles of its card', async () => {
    await watch.log([
      made(
        forecast({
          origin: 2,
          steps: [
            { mean: 5, naive: 1, lo: 2.5, hi: 6 },
            { mean: 3, naive: 8, lo: 1, hi: 3.5 },
          ],
        }),
      ),
      made(forecast({ origin: 3, steps: [{ mean: 4.5, naive: 8 }] })),
    ])
    const deciles = [-4, -3, -2, -1, 0, 0.5, 1, 2, 3]
    await watch.pass([truth([9, 9, 3, 4], [cardOf('v1', deciles)])])
    const pinball = expect.any(Number)
    expect(await allDays()).toEqual([
      {
        ...of,
        version: 'v1',
        day: dayStart(zone, start),
        leads: [
          // errors 5 - 3 and 4.5 - 4, naive 1 - 3 and 8 - 4
          {
            count: 2,
            error: 2.5,
            losses: { absolute: 2.5, squared: 4.25, pinball },
            baselineCount: 2,
            baseline: { absolute: 6, squared: 20, pinball },
            withInterval: 1,
            inside: 1,
          },
          // error 3 - 4, naive 8 - 4, and 4 is above 3.5
          {
            count: 1,
            error: -1,
            losses: { absolute: 1, squared: 1, pinball },
            baselineCount: 1,
            baseline: { absolute: 4, squared: 16, pinball },
            withInterval: 1,
            inside: 0,
          },
        ],
        knownMs: 2 * hourMs,
        // -1 up to its decile, 0.5 up to its, 2 up to its
        residualBins: [0, 0, 0, 1, 0, 1, 0, 1, 0, 0],
      },
    ])
  })

  it('once, however often it is passed, also by calls that overlap', async () => {
    await watch.log([made(forecast({ origin: 0, steps: [{ mean: 1 }, { mean: 1 }, { mean: 1 }] }))])
    await Promise.all([watch.pass([truth([0, 0])]), watch.pass([truth([0, 0])])])
    await watch.pass([truth([0, 0, 0])])
    await watch.pass([truth([0])])
    await watch.pass([truth([0, 0, 0])])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([1, 1, 1])
    expect(await ledger.scoredTo(of)).toBe(hour(3))
  })

  it('in shadow as well as published, and the naive forecast while it is live, on the same hours', async () => {
    await watch.log([
      made(
        forecast({ origin: 0, version: 'naive', steps: [{ mean: 2, naive: 2 }] }),
        forecast({ origin: 0, version: 'v2', steps: [{ mean: 1, naive: 2 }] }),
      ),
    ])
    await watch.pass([truth([0])])
    const found = (await allDays()).map(({ version, leads: [lead] }) => [
      version,
      lead?.losses['squared'],
      lead?.baseline['squared'],
    ])
    expect(found).toEqual([
      ['naive', 4, 4],
      ['v2', 1, 4],
    ])
  })

  it('as it was made last of the same origin', async () => {
    await watch.log([made(forecast({ origin: 0, steps: [{ mean: 7 }] }))])
    await watch.log([made(forecast({ origin: 0, steps: [{ mean: 2 }] }))])
    await watch.pass([truth([0])])
    expect((await allDays())[0]?.leads[0]).toMatchObject({ count: 1, losses: { absolute: 2 } })
  })

  it.each([
    ['whose truth is unknown', { truths: [Number.NaN, 0], steps: [{}, {}] }],
    ['that the model does not predict', { truths: [0, 0], steps: [{ mean: Number.NaN }, {}] }],
  ])('but not on hours %s', async (_, { truths, steps }) => {
    await watch.log([made(forecast({ origin: 0, steps }))])
    await watch.pass([truth(truths)])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([0, 1])
    // late truth changes no report
    await watch.pass([truth([0, 0])])
    expect((await allDays())[0]?.leads.map(({ count }) => count)).toEqual([0, 1])
  })

  it('without a baseline where the naive forecast does not know', async () => {
    await watch.log([made(forecast({ origin: 0, steps: [{ mean: 1, naive: Number.NaN }] }))])
    await watch.pass([truth([0])])
    expect((await allDays())[0]?.leads).toMatchObject([
      { count: 1, losses: { squared: 1 }, baselineCount: 0, baseline: {} },
    ])
  })

  it('never if it is invalid or reaches too far: such a forecast is refused', async () => {
    const near = new Watch(ledger, { horizonMs: 2 * hourMs })
    const long = forecast({ origin: 0, steps: [{}, {}, {}] })
    await expect(near.log([made(long)])).rejects.toThrow(RangeError)
    const short = { ...forecast({ origin: 0, steps: [{}, {}] }), mean: new Float64Array(1) }
    await expect(watch.log([made(short)])).rejects.toThrow(/a column has 1 values for 2 steps/)
    expect(await ledger.logged(of, 0, Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  it('of each target by itself, each once in a pass', async () => {
    const other = { ...of, target: { ...target, subject: 'heater' } }
    await watch.log([made({ ...forecast({ origin: 0, steps: [{ mean: 3 }] }), ...other })])
    await watch.pass([truth([0]), { ...truth([1, 1]), ...other }])
    expect(await allDays()).toEqual([])
    expect((await allDays(other))[0]?.leads[0]).toMatchObject({ count: 1, error: 2 })
    await expect(watch.pass([truth([0, 0]), truth([0, 0])])).rejects.toThrow(RangeError)
  })

  it('with the drift that came along kept', async () => {
    const drift = { target, version: 'v1', at: hour(0), psi: { lag24: 0.3 } }
    await watch.log([{ ...made(forecast({ origin: 0, steps: [{}] })), drifts: [drift] }])
    expect(await ledger.drifts(target)).toEqual([drift])
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
    const values = new Float64Array(count).fill(1)
    for (let index = 0; index < count; index++) {
      const origin = from + index * hourMs
      await watch.log([made({ ...forecast({ origin: 0, steps: [{}, {}] }), origin })])
      const known = { start: from, stepMs: hourMs, values: values.slice(0, index + 1) }
      await watch.pass([{ ...truth([]), truth: known }])
    }
    const found = (await allDays()).find((one) => one.day === day)
    expect(found?.leads.map((lead) => lead.count)).toEqual([hours, hours])
    expect(found?.knownMs).toBe(hours * hourMs)
  })
})

describe('forecasts beyond two days, in steps of several lengths', () => {
  const quarterMs = hourMs / 4
  /** Quarter-hours for 48 h, then hours up to 168 h; energy of 1 kWh an hour, and the forecast is off by a tenth. */
  const long = (origin: number): Forecast => {
    const grid = [
      { stepMs: quarterMs, count: 48 * 4 },
      { stepMs: hourMs, count: 120 },
    ]
    const values = (rate: number): Float64Array =>
      Float64Array.from({ length: 48 * 4 + 120 }, (_, step) => (step < 48 * 4 ? rate / 4 : rate))
    return {
      ...forecast({ origin: 0, steps: [{}] }),
      origin,
      grid,
      mean: values(1.1),
      baseline: values(2),
      quantiles: [],
    }
  }
  const known = (quarters: number): WatchRow => ({
    ...truth([]),
    truth: { start, stepMs: quarterMs, values: new Float64Array(quarters).fill(0.25) },
  })

  it('are scored by lead time in hours, each step once, whenever its last quarter-hour is known', async () => {
    // its hours do not begin with those of the clock
    await watch.log([made(long(start + quarterMs))])
    for (let quarters = 0; quarters <= 168 * 4 + 1; quarters += 3) await watch.pass([known(quarters)])
    await watch.pass([known(168 * 4 + 1)])
    const days = await allDays()
    const leads = Array.from({ length: 168 }, (_, lead) =>
      days.reduce((sum, day) => sum + (day.leads[lead]?.count ?? 0), 0),
    )
    expect(leads).toEqual(Array.from({ length: 168 }, (_, lead) => (lead < 48 ? 4 : 1)))
    const knownMs = days.reduce((sum, day) => sum + day.knownMs, 0)
    expect(knownMs).toBe(168 * hourMs)
    const far = days.at(-1)!.leads.at(-1)!
    expect(far.losses['absolute']).toBeCloseTo(0.1, 4)
    expect(far.baseline['absolute']).toBeCloseTo(1, 4)
  })

  it('are not scored on an hour of which a quarter is unknown', async () => {
    await watch.log([made(long(start))])
    const row = known(60 * 4)
    row.truth.values[50 * 4 + 2] = Number.NaN
    await watch.pass([row])
    const counts = (await allDays()).flatMap(({ leads }) => leads.slice(48).map(({ count }) => count))
    expect(counts.slice(0, 4)).toEqual([1, 1, 0, 1])
  })

  it('are left alone where the truth comes in longer steps than theirs', async () => {
    await watch.log([made(long(start))])
    await watch.pass([truth(new Array<number>(72).fill(1))])
    const leads = (await allDays()).flatMap((day) => day.leads)
    // quarter-hours cannot be compared, the hours after them can
    expect(leads.reduce((sum, { count }) => sum + count, 0)).toBe(24)
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
      const [published, shadow] = forecasts.get(origin)!
      await current.log([made(published!, shadow!)])
    }
    await new Watch(onLedger).pass([truth(truths)])
  }

  it('adds up to what one look at everything gives', async () => {
    await run(ledger, () => watch)
    let [count, squared, naiveSquared] = [0, 0, 0]
    for (const { origin, model, mean, baseline } of [...forecasts.values()].flat())
      for (let lead = 0; lead < 24; lead++) {
        const value = truths[(origin - start) / hourMs + lead]
        if (model.version !== 'v2' || value === undefined || Number.isNaN(value)) continue
        count++
        squared += (mean[lead]! - value) ** 2
        naiveSquared += (baseline![lead]! - value) ** 2
      }
    const leads = (await allDays()).filter(({ version }) => version === 'v2').flatMap((day) => day.leads)
    const total = (of: (lead: LeadSums) => number): number => leads.reduce((sum, lead) => sum + of(lead), 0)
    expect(total((lead) => lead.count)).toBe(count)
    // the log rounds to 1/131,068 of the range of a column
    expect(total(({ losses }) => losses['squared'] ?? 0) / squared).toBeCloseTo(1, 4)
    expect(total(({ baseline }) => baseline['squared'] ?? 0) / naiveSquared).toBeCloseTo(1, 4)
  })

  it('gives the same sums when the program starts anew in between', async () => {
    await run(ledger, () => watch)
    const expected = await allDays()
    const fresh = createMemoryLedger()
    await fresh.open()
    await run(fresh.watch, () => new Watch(fresh.watch))
    expect(await fresh.watch.days(of, 0, Number.MAX_SAFE_INTEGER)).toEqual(expected)
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
    const [found, expected] = [await fresh.watch.days(of, 0, Number.MAX_SAFE_INTEGER), await allDays()]
    expect(found.length).toBe(expected.length)
    // portions differ, so sums may differ in their last bits
    found.forEach((day, index) => {
      day.leads.forEach((lead, at) => {
        expect(lead.count).toBe(expected[index]!.leads[at]!.count)
        expect(lead.losses['squared'] ?? 0).toBeCloseTo(expected[index]!.leads[at]!.losses['squared'] ?? 0, 9)
      })
    })
  })
})

function cardOf(version: string, residualDeciles: readonly number[]): Card {
  return {
    ...of,
    decidedBy: 'rmse',
    model: { name: 'energy', version, kind: 'learned' },
    trainedAt: start,
    span: { from: start, to: start, steps: 0 },
    features: [],
    folds: 0,
    scoredSteps: 0,
    unit: 'kWh',
    scores: {},
    verdict: { status: 'live', reason: '', comparisons: {} },
    residualDeciles,
    repairs: {},
  }
}
