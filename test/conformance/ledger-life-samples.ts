import type { Forecast } from '../../src/core/event.ts'
import type {
  Drift,
  EventFunction,
  ForgottenSpan,
  Info,
  Job,
  LeadSums,
  LoggedForecast,
  ModelEntry,
  ModelEvent,
  QueuedEvent,
  ReportDay,
  Trigger,
} from '../../src/core/life.ts'
import { card, forecast, power, series, target } from './ledger-samples.ts'

/** Facts of a model's life for tests of ledgers: each as it usually is, changed where the test says so. */

export const ever = [-1e15, 1e15] as const
export const elsewhere = { ...target, site: 'office' }
/** Another target, and another metric of the same one. */
export const otherTarget = { ...target, domain: 'dispatch' }
export const otherMetric = { target, metric: 'energy' }
/** An id that wants to be more than a name. */
export const hostile = `it's "a" \\ %_ '); drop table models; -- ${'Ἑστία 🏠 '.repeat(100)}`
export const strange = { site: hostile, domain: `${hostile}d`, subject: `${hostile}s` }
export const model = (version: string) => ({ name: 'boosting', version, kind: 'learned' }) as const

export const entry = (version: string, change: Partial<ModelEntry> = {}): ModelEntry => ({
  card: card({ model: { name: 'boosting', version, kind: 'learned' } }),
  status: 'live',
  reason: 'It beats every naive forecast.',
  since: 200,
  ...change,
})
export const modelEvent = (at: number, change: Partial<ModelEvent> = {}): ModelEvent => ({
  target,
  version: 'v1',
  at,
  status: 'live',
  reason: 'It beats every naive forecast.',
  by: 'gate',
  ...change,
})
export const job = (id: string, change: Partial<Job> = {}): Job => ({
  id,
  kind: 'train',
  target,
  status: 'queued',
  progress: 0,
  detail: '',
  by: 'schedule',
  force: false,
  createdAt: 100,
  ...change,
})
/** Its values are whole multiples of 1 / 65,534 of their range: the log keeps them as they are. */
export const loggable = (change: Partial<Forecast> = {}): Forecast =>
  forecast({
    mean: Float64Array.of(0, 65_534, Number.NaN),
    baseline: Float64Array.of(-32_767, 0, 32_767),
    quantiles: [{ level: 0.05, values: Float64Array.of(Number.NaN, Number.NaN, 1 / 3) }],
    ...change,
  })
export const logged = (
  origin: number,
  version: string,
  change: Partial<LoggedForecast> = {},
): LoggedForecast => ({
  forecast: loggable({ origin, model: { name: 'boosting', version, kind: 'learned' } }),
  published: true,
  ...change,
})
/** Sums that differ in every field, and of which no two samples add up to a third. */
export const lead = (times: number): LeadSums => ({
  count: times,
  error: -0.1 * times,
  losses: { absolute: 0.2 * times, squared: 0.3 * times },
  baselineCount: 5 * times,
  baseline: { absolute: 0.5 * times, pinball: 0.7 * times },
  withInterval: 11 * times,
  inside: 13 * times,
})
export const reportDay = (day: number, change: Partial<ReportDay> = {}): ReportDay => ({
  ...power,
  version: 'v1',
  day,
  leads: [lead(1), lead(2)],
  knownMs: 7_200_000,
  residualBins: [1, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...change,
})
export const drift = (version: string, change: Partial<Drift> = {}): Drift => ({
  target,
  version,
  at: 100,
  psi: { lag_24: 0.125, 'the hour': 1 / 3 },
  ...change,
})
export const trigger = (name: string, change: Partial<Trigger> = {}): Trigger => ({
  name,
  event: 'night',
  cron: '0 2 * * *',
  zone: 'Europe/Athens',
  once: false,
  enabled: true,
  builtIn: false,
  ...change,
})
export const eventFunction = (name: string, change: Partial<EventFunction> = {}): EventFunction => ({
  name,
  events: ['night', 'data'],
  action: { kind: 'task', task: 'train' },
  lastError: '',
  ...change,
})
/** Its id is its time, unless another is given. */
export const queued = (of: string, at: number, change: Partial<QueuedEvent> = {}): QueuedEvent => ({
  id: at,
  function: of,
  event: 'night',
  at,
  data: '{"a":"\\u0000"}',
  ...change,
})
export const info = (id: string, change: Partial<Info> = {}): Info => ({
  id,
  at: 1000,
  site: 'home',
  summary: 'A new model is live.',
  detail: 'It beats every naive forecast.',
  level: 1,
  ...change,
})
export const forgotten = (id: string, change: Partial<ForgottenSpan> = {}): ForgottenSpan => ({
  id,
  series,
  from: 0,
  to: 86_400_000,
  reason: 'The meter was repaired.',
  by: 'Key a',
  at: 1000,
  ...change,
})

/** The same noun, one field of which throws when it is read: no ledger can keep it. */
export const unkeepable = <Noun extends object>(noun: Noun, field: keyof Noun): Noun =>
  Object.defineProperty({ ...noun }, field, {
    enumerable: true,
    get() {
      throw new Error('unkeepable')
    },
  })

/** A call that must fail. */
export const fails = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => Promise.reject(new Error('It kept what cannot be kept.')),
    () => undefined,
  )
