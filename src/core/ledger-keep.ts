/** What `Ledger.maintain` keeps. Counts are rows, times are UTC ms. */
export interface LedgerKeep {
  /** The newest quarantined rows. */
  readonly quarantined: number
  /** Alerts that ended, those that ended last; open ones always stay. */
  readonly closedAlerts: number
  /** The newest model events. */
  readonly modelEvents: number
  /** From here on predictions, report days, drifts, notes and ended jobs stay. */
  readonly keepFrom: number
  /** From here on logged forecasts, which are large, stay. */
  readonly forecastsFrom: number
  /** Logged forecasts with an origin before it that are scored to their end are thinned to every sixth hour. */
  readonly thinBefore: number
  /** Incidents and maintenance windows that ended here or later, and those that have not ended, stay. */
  readonly incidentsFrom: number
}
