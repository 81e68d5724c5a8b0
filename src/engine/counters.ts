import type { Reading } from '../core/reading.ts'
import { isDerived } from '../core/series.ts'

/** What the engine counts since the process started. Read by /health and /metrics. */
export class Counters {
  /** Readings from sources that are on disk, by site; without those of sites that were removed. */
  readonly readingsBySite = new Map<string, number>()
  #readingsOfRemovedSites = 0
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

  /** Without those of sites that were removed. */
  get readingsStored(): number {
    let total = 0
    for (const count of this.readingsBySite.values()) total += count
    return total
  }

  /** Never falls: of sites that were removed, all but those of the demo count. `isDemo` knows the sites that are left. */
  readingsTotal(isDemo: (site: string) => boolean): number {
    let total = this.#readingsOfRemovedSites
    for (const [site, count] of this.readingsBySite) if (!isDemo(site)) total += count
    return total
  }

  removeSite(site: string, isDemo: boolean): void {
    if (!isDemo) this.#readingsOfRemovedSites += this.readingsBySite.get(site) ?? 0
    this.readingsBySite.delete(site)
  }

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

  countCommit(
    turn: {
      readonly readings: readonly Pick<Reading, 'site' | 'device'>[]
      readonly predictions: readonly unknown[]
      readonly alerts: readonly unknown[]
    },
    ms: number,
  ): void {
    this.turns++
    this.#countReadings(turn.readings)
    this.predictions += turn.predictions.length
    this.alerts += turn.alerts.length
    this.commitMsTotal += ms
    if (ms > this.commitMsMax) this.commitMsMax = ms
  }

  /** Readings come in runs of one site: a look-up a run, since this is done for every reading. */
  #countReadings(readings: readonly Pick<Reading, 'site' | 'device'>[]): void {
    let site = readings[0]?.site ?? ''
    let count = 0
    const keep = (): void => {
      if (count > 0) this.readingsBySite.set(site, (this.readingsBySite.get(site) ?? 0) + count)
    }
    for (const reading of readings) {
      if (isDerived(reading.device)) continue
      if (reading.site !== site) {
        keep()
        site = reading.site
        count = 0
      }
      count++
    }
    keep()
  }
}
