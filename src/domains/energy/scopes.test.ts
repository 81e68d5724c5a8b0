import { expect, it } from 'vitest'
import type { Series } from '../../core/event.ts'
import { knownMetrics } from '../../core/units.ts'
import { energy } from './index.ts'

it('scopes: neither what was used today, what was sent out, nor power that is not used is a source', () => {
  const more = ['energy_today', 'energy_yesterday', 'energy_returned_total', 'energy_returned_today']
  const all = [...knownMetrics, ...more].map(
    (metric): Series => ({ site: 'home', device: 'plug', metric, unit: 'raw' }),
  )
  const site = {
    ...{ site: 'home', zone: 'UTC', nameOf: (device: string) => device },
    ...{ ofDevice: () => all, inRoom: () => [], all: () => all },
  }
  const [scope, ...others] = energy.scopes(site, energy.settings.parse({}))
  expect(scope?.sources.map(({ metric }) => metric).sort()).toEqual(['energy', 'energy_total', 'power'])
  expect(others).toEqual([])
})
