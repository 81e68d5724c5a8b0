import type { ThresholdRule } from '../../contract/thresholds.ts'
import type { Alert } from '../../core/event.ts'
import type { Reading } from '../../core/reading.ts'
import { secondMs } from '../../core/time.ts'
import { stateText, valueText } from '../../core/value-text.ts'
import type { Effects, Monitor, Resume, Scope } from '../domain.ts'

/** A condition that holds: since when, and its alert once it has held for long enough. */
interface Condition {
  since: number
  open?: Alert
}

/**
 * The threshold rules of one device. Each rule raises one alert when its condition has held for `forSeconds` and closes
 * it with the first reading for which it does not hold. Alerts of rules that no longer exist are closed at once. Works
 * without any model.
 */
export function createThresholdMonitor(
  { target }: Scope,
  rules: readonly ThresholdRule[],
  resume?: Resume,
): Monitor {
  const conditions = resumeConditions(rules, resume)
  let dropped = (resume?.open ?? []).filter(({ rule }) => !rules.some(({ name }) => name === rule))
  return {
    get wakeAt() {
      return dropped.length > 0 ? 0 : Number.POSITIVE_INFINITY
    },
    take(event, now) {
      const alerts: Alert[] = dropped.map((alert) => ({ ...alert, at: now, until: now }))
      dropped = []
      for (const rule of rules) {
        if (event === 'wake' || rule.metric !== event.metric) continue
        const alert = step(rule, conditions, event)
        if (alert) alerts.push({ ...alert, target })
      }
      return alerts.length === 0 ? undefined : ({ alerts } satisfies Effects)
    },
    save: () => (conditions.size === 0 ? undefined : [...conditions]),
  }
}

function resumeConditions(
  rules: readonly ThresholdRule[],
  { saved, open = [] }: Partial<Resume> = {},
): Map<string, Condition> {
  const conditions = new Map((saved as [string, Condition][] | undefined) ?? [])
  for (const alert of open) conditions.set(alert.rule, { since: alert.since, open: alert })
  // a rule may have left the configuration since
  for (const name of conditions.keys()) if (!rules.some((rule) => rule.name === name)) conditions.delete(name)
  return conditions
}

function step(
  rule: ThresholdRule,
  conditions: Map<string, Condition>,
  reading: Reading,
): Omit<Alert, 'target'> | undefined {
  const { device, metric, value, at } = reading
  const known = conditions.get(rule.name)
  if (!holds(rule, value)) {
    conditions.delete(rule.name)
    return known?.open && { ...known.open, at, value, until: at }
  }
  const condition = known ?? { since: at }
  conditions.set(rule.name, condition)
  if (condition.open || at - condition.since < rule.forSeconds * secondMs) return undefined
  const message = rule.message ?? sentence(rule, reading)
  const alert = {
    device,
    metric,
    rule: rule.name,
    level: rule.level,
    since: condition.since,
    at,
    value,
    message,
  }
  condition.open = { ...alert, target: { site: reading.site, domain: 'thresholds', subject: device } }
  return alert
}

const holds = (rule: ThresholdRule, value: number): boolean =>
  (rule.above !== undefined && value > rule.above) || (rule.below !== undefined && value < rule.below)

function sentence(rule: ThresholdRule, { metric, device, value, unit }: Reading): string {
  const state = stateText(value, unit, metric)
  // a state has no amount above or below a limit
  if (state !== undefined) return `${metric} of ${device} is ${state}`
  const side = rule.above !== undefined ? `above ${rule.above}` : `below ${rule.below}`
  return `${metric} of ${device} is ${valueText(value, unit, metric)}, ${side}`
}
