/** What the engine counts since the process started. Read by /health and /metrics. */
export class Counters {
  readingsStored = 0
  turns = 0
  commitMsTotal = 0
  commitMsMax = 0
  commitsFailed = 0
  alerts = 0
  predictions = 0
  commitRetries = 0
  alertsUnsent = 0
  /** domain -> conclusions that failed */
  readonly monitorFaults = new Map<string, number>()
  /** source -> code -> rows */
  readonly quarantined = new Map<string, Map<string, number>>()

  get quarantinedTotal(): number {
    let total = 0
    for (const codes of this.quarantined.values()) for (const count of codes.values()) total += count
    return total
  }

  countQuarantined(source: string, code: string): void {
    let codes = this.quarantined.get(source)
    if (!codes) {
      codes = new Map()
      this.quarantined.set(source, codes)
    }
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }

  countMonitorFault(domain: string): void {
    this.monitorFaults.set(domain, (this.monitorFaults.get(domain) ?? 0) + 1)
  }

  /** `measured`: readings of the turn that came from sources. */
  countCommit(
    turn: { readonly predictions: readonly unknown[]; readonly alerts: readonly unknown[] },
    measured: number,
    ms: number,
  ): void {
    this.turns++
    this.readingsStored += measured
    this.predictions += turn.predictions.length
    this.alerts += turn.alerts.length
    this.commitMsTotal += ms
    if (ms > this.commitMsMax) this.commitMsMax = ms
  }
}
