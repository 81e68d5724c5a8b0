import type {
  Alert,
  ApiKey,
  Card,
  Device,
  Forecast,
  PointPrediction,
  Quarantined,
  Site,
} from '../../src/core/event.ts'

import type { LedgerKeep } from '../../src/core/ledger-keep.ts'

/** Facts for tests of ledgers: each as it usually is, changed where the test says so. */
export const series = { site: 'home', device: 'meter', metric: 'power' }
export const target = { site: 'home', domain: 'energy', subject: 'meter' }
/** What forecasts and predictions are of. */
export const power = { target, metric: 'power' }
const hour = 3_600_000

export const site = (id: string, change: Partial<Site> = {}): Site => ({
  id,
  name: `Site ${id}`,
  zone: 'Europe/Athens',
  demo: false,
  ...change,
})
export const device = (id: string, change: Partial<Device> = {}): Device => ({
  site: 'home',
  id,
  type: 'sensor',
  attributes: {},
  ...change,
})
export const forecast = (change: Partial<Forecast> = {}): Forecast => ({
  kind: 'forecast',
  ...power,
  unit: 'W',
  origin: 10 * hour,
  madeAt: 10 * hour + 5,
  model: { name: 'boosting', version: '1', kind: 'learned' },
  grid: [
    { stepMs: hour / 4, count: 2 },
    { stepMs: hour, count: 1 },
  ],
  mean: Float64Array.of(0.1 + 0.2, 7, Number.NaN),
  baseline: Float64Array.of(1e300, 6, 5e-324),
  baselineName: 'same time yesterday',
  quantiles: [
    { level: 0.05, values: Float64Array.of(-1, Number.NaN, 0) },
    { level: 0.95, values: Float64Array.of(5e-324, Number.NaN, 1) },
  ],
  ...change,
})
export const card = (change: Partial<Card> = {}): Card => ({
  ...power,
  model: { name: 'boosting', version: '1', kind: 'learned' },
  trainedAt: 100,
  span: { from: 0, to: 50, steps: 50 },
  features: ['lag_24', 'hour'],
  folds: 3,
  scoredSteps: 72,
  unit: 'W',
  scores: { model: { mae: 1.5, rmse: 2 }, 'same time yesterday': { mae: 2, rmse: 3 } },
  decidedBy: 'rmse',
  coverage: { level: 0.9, measured: 0.88, steps: 48 },
  verdict: {
    status: 'live',
    reason: 'It beats every naive forecast.',
    comparisons: { 'same time yesterday': { days: 30, gain: 0.25, p: 0.001 } },
  },
  residualDeciles: [-4, -3, -2, -1, 0, 1, 2, 3, 4],
  repairs: { gaps: 2 },
  ...change,
})
export const prediction = (change: Partial<PointPrediction> = {}): PointPrediction => ({
  kind: 'value',
  ...power,
  at: 1000,
  madeAt: 900,
  value: 1 / 3,
  unit: 'W',
  model: { name: 'boosting', version: '1', kind: 'learned' },
  ...change,
})
export const alertTarget = { site: series.site, domain: 'thresholds', subject: series.device }
export const alert = (change: Partial<Alert> = {}): Alert => ({
  target: alertTarget,
  device: series.device,
  metric: series.metric,
  rule: 'too much',
  level: 'warning',
  since: 1000,
  at: 1000,
  value: 4000,
  message: 'The power is above 3000 W.',
  ...change,
})
export const quarantined = (at: number, change: Partial<Quarantined> = {}): Quarantined => ({
  at,
  source: 'mqtt',
  code: 'payload_not_json',
  message: 'The payload is not JSON: nonsense.',
  payload: '{"a":',
  ...change,
})
export const key = (id: string, change: Partial<ApiKey> = {}): ApiKey => ({
  id,
  name: `Key ${id}`,
  role: 'operator',
  sites: null,
  sha256: id.repeat(64).slice(0, 64),
  createdAt: 5,
  ...change,
})

/** What `maintain` is told to keep; the default deletes nothing. */
export const keep = (change: Partial<LedgerKeep> = {}): LedgerKeep => ({
  quarantined: 1e9,
  closedAlerts: 1e9,
  modelEvents: 1e9,
  keepFrom: 0,
  forecastsFrom: 0,
  thinBefore: 0,
  incidentsFrom: 0,
  ...change,
})
