import type { AlertLevel } from '../../core/event.ts'

/** A threshold on every series of a metric. */
export interface ThresholdRule {
  /** Names the rule; alerts are keyed by it. */
  readonly name: string
  readonly metric: string
  /** Exactly one of the two, in the canonical unit of the metric. */
  readonly above?: number | undefined
  readonly below?: number | undefined
  readonly level: AlertLevel
  /** How long the condition must hold, by the timestamps of the readings. */
  readonly forSeconds: number
  readonly message?: string | undefined
}

export interface ThresholdSettings {
  readonly rules: readonly ThresholdRule[]
}
