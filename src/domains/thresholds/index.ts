/** Thresholds: limits on measured values, set by people. One target a device that measures a limited metric. */
import { thresholdSettings } from '../../contract/thresholds.ts'
import type { Series } from '../../core/event.ts'
import { isDerived } from '../../core/series.ts'
import type { Domain, Scope, SiteView } from '../domain.ts'
import { createThresholdMonitor } from './monitor.ts'

const name = 'thresholds'

export const thresholds: Domain<typeof thresholdSettings> = {
  name,
  settings: thresholdSettings,
  olderKeys: { rules: 'rules' },
  scopes(site, { rules }, changed) {
    const limited = new Set(rules.map(({ metric }) => metric))
    if (limited.size === 0) return []
    const devices = new Set<string>()
    for (const { device, metric } of changed ?? site.all()) {
      if (limited.has(metric) && !isDerived(device)) devices.add(device)
    }
    return [...devices].map((device) => scopeOf(site, device, limited))
  },
  monitor: (scope, { rules }, resume) => {
    const metrics = new Set(scope.sources.map(({ metric }: Series) => metric))
    return createThresholdMonitor(
      scope,
      rules.filter(({ metric }) => metrics.has(metric)),
      resume,
    )
  },
}

const scopeOf = (site: SiteView, device: string, limited: ReadonlySet<string>): Scope => ({
  target: { site: site.site, domain: name, subject: device },
  sources: site.ofDevice(device).filter(({ metric }) => limited.has(metric)),
  nameOf: (id) => site.nameOf(id),
})
