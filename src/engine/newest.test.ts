import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SeriesKey } from '../core/event.ts'
import { compareSeries, isDerived } from '../core/series.ts'
import { createMemoryWindows } from '../stores/window/memory.ts'
import { NewestReadings, type SeriesFilter } from './newest.ts'

const name = fc.constantFrom('a', 'b', 'c')
const key: fc.Arbitrary<SeriesKey> = fc.record({
  site: name,
  device: fc.constantFrom('a', 'b', 'c', '@energy:a'),
  metric: name,
})

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), key, value: fc.integer() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeSite' as const), site: name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeSeries' as const), key }) },
)

const filter: fc.Arbitrary<SeriesFilter> = fc.oneof(
  fc.constant({}),
  fc.record({ sites: fc.array(name, { maxLength: 2 }) }),
  fc.record({ device: name }),
  fc.record({ metric: name }),
)

it('newest readings: any page is a part of the sorted whole, whatever came and went before', () => {
  const asked = fc.record({ filter, limit: fc.integer({ min: 0, max: 30 }), after: fc.option(key) })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(step, { maxLength: 15 }), asked)), (rounds) => {
      const windows = createMemoryWindows({ capacity: 2 })
      const newest = new NewestReadings(windows)
      let at = 0
      for (const [steps, { filter: wanted, limit, after }] of rounds) {
        for (const one of steps) {
          if (one.kind === 'push') windows.push({ ...one.key, unit: 'W', value: one.value, at: at++ })
          else if (one.kind === 'removeSite') windows.removeSite(one.site)
          else windows.removeSeries([one.key])
        }
        const { sites, device, metric } = wanted
        const whole = [...windows.latest()]
          .filter((reading) => !isDerived(reading.device))
          .filter((reading) => sites?.includes(reading.site) ?? true)
          .filter((reading) => device === undefined || reading.device === device)
          .filter((reading) => metric === undefined || reading.metric === metric)
          .filter((reading) => after === null || compareSeries(reading, after) > 0)
          .sort(compareSeries)
        expect(newest.page(wanted, limit, after ?? undefined)).toEqual(whole.slice(0, limit))
      }
    }),
  )
})
