/** Energy: what every device uses by the quarter-hour, from its power or energy, and a forecast of it. */
import { energySettings } from '../../contract/energy.ts'
import type { Series } from '../../core/event.ts'
import { isDerived } from '../../core/series.ts'
import { hourMs } from '../../core/time.ts'
import type { Domain, Scope, SiteView } from '../domain.ts'
import { gapMsMax } from './counter.ts'
import { energyLearning } from './learning.ts'
import { EnergyMonitor } from './monitor.ts'
import { isEnergyMetric } from './spans.ts'

const name = 'energy'

export const energy: Domain<typeof energySettings> = {
  name,
  settings: energySettings,
  // a counter that reports when it moves may settle a whole day at once, and again where that was in doubt
  rebuild: { warmUpMs: 2 * gapMsMax + 6 * hourMs, settleMs: gapMsMax + 6 * hourMs },
  scopes(site, _settings, changed) {
    const devices = new Set<string>()
    for (const series of changed ?? site.all()) if (isSource(series)) devices.add(series.device)
    return [...devices].map((device) => scopeOf(site, device))
  },
  monitor: (scope, _settings, resume) => new EnergyMonitor(scope, resume),
  learning: energyLearning,
  routes: async () => (await import('./views.ts')).energyRoutes,
}

const isSource = ({ device, metric }: Series): boolean => isEnergyMetric(metric) && !isDerived(device)

const scopeOf = (site: SiteView, device: string): Scope => ({
  target: { site: site.site, domain: name, subject: device },
  sources: site.ofDevice(device).filter(isSource),
})
