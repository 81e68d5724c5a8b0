import type { Alert, AlertLevel, SeriesKey } from '../core/event.ts'
import type { Reading } from '../core/reading.ts'
import { SeriesMap } from '../core/series.ts'

/** A threshold on every series of a metric. Works without any model, from the first minute. */
export interface ThresholdRule {
  readonly name: string
  readonly metric: string
  /** Exactly one of the two, in the canonical unit. */
  readonly above?: number | undefined
  readonly below?: number | undefined
  readonly level: AlertLevel
  /** The condition must hold for so long, by the readings' own times. */
  readonly forSeconds: number
  readonly message?: string | undefined
}

interface State {
  since: number
  open?: Alert
}

/** Keeps which conditions hold. An alert is raised once and closed once, keyed (rule, series, since). */
export class Rules {
  readonly #byMetric = new Map<
    string,
    { readonly rule: ThresholdRule; readonly states: SeriesMap<State> }[]
  >()

  constructor(rules: readonly ThresholdRule[]) {
    for (const rule of rules) {
      const list = this.#byMetric.get(rule.metric) ?? []
      list.push({ rule, states: new SeriesMap() })
      this.#byMetric.set(rule.metric, list)
    }
  }

  /** Whether there is a rule for the metric. */
  watches(metric: string): boolean {
    return this.#byMetric.has(metric)
  }

  /** Alerts that this reading opens or closes. A reading older than the state is left out: it changes nothing now. */
  check(reading: Reading, newestAt: number): Alert[] {
    const list = this.#byMetric.get(reading.metric)
    if (!list || reading.at < newestAt) return []
    const alerts: Alert[] = []
    for (const { rule, states } of list) {
      const alert = step(rule, states, reading)
      if (alert) alerts.push(alert)
    }
    return alerts
  }

  /** Takes up alerts that were open when the process stopped, so that they are closed and not raised twice. */
  restore(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      if (alert.until !== undefined) continue
      for (const { rule, states } of this.#byMetric.get(alert.metric ?? '') ?? []) {
        if (rule.name === alert.rule) states.set(seriesOf(alert), { since: alert.since, open: alert })
      }
    }
  }
}

function step(rule: ThresholdRule, states: SeriesMap<State>, reading: Reading): Alert | undefined {
  const state = states.get(reading)
  if (!holds(rule, reading.value)) {
    if (!state) return undefined
    states.delete(reading)
    return state.open ? { ...state.open, at: reading.at, value: reading.value, until: reading.at } : undefined
  }
  const current = state ?? { since: reading.at }
  if (!state) states.set(reading, current)
  if (current.open || reading.at - current.since < rule.forSeconds * 1000) return undefined
  const { site, device, metric, value, at } = reading
  const message = rule.message ?? sentence(rule, reading)
  current.open = {
    target: { site, domain: 'thresholds', subject: device },
    device,
    metric,
    rule: rule.name,
    level: rule.level,
    since: current.since,
    at,
    value,
    message,
  }
  return current.open
}

const seriesOf = ({ target, device = '', metric = '' }: Alert): SeriesKey => ({
  site: target.site,
  device,
  metric,
})

const holds = (rule: ThresholdRule, value: number): boolean =>
  (rule.above !== undefined && value > rule.above) || (rule.below !== undefined && value < rule.below)

function sentence(rule: ThresholdRule, reading: Reading): string {
  const side = rule.above !== undefined ? `above ${rule.above}` : `below ${rule.below}`
  return `${reading.metric} of ${reading.device} is ${reading.value} ${reading.unit}, ${side}`
}
