import { describe, expect, it } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { buildFeatures, featureNames, History } from './features.ts'
import { household, made0 } from './made-home.ts'

describe('features', () => {
  it('know nothing of the origin and of what follows it', () => {
    const values = household(60, 1)
    const origins = [800, 801, 1000]
    const { frame, base } = buildFeatures(new History(values, made0, 'UTC'), origins)
    for (const [index, origin] of origins.entries()) {
      const changed = values.map((value, hour) => (hour >= origin ? 1000 + hour : value))
      const other = buildFeatures(new History(changed, made0, 'UTC'), [origin])
      for (const [column, name] of featureNames.entries()) {
        const rows = frame.columns[column]!.subarray(index * 24, index * 24 + 24)
        expect(other.frame.columns[column], name).toEqual(rows)
      }
      expect(other.base).toEqual(base.subarray(index * 24, index * 24 + 24))
    }
  })

  it('carry the hour of the site, also when the clock changes', () => {
    const values = new Float64Array(24 * 100).fill(1)
    const march = Date.UTC(2026, 2, 28) - 48 * hourMs
    const { frame } = buildFeatures(new History(values, march, 'Europe/Paris'), [48])
    const hours = frame.columns[featureNames.indexOf('hour')]!
    expect([...hours.subarray(22, 24)]).toEqual([23, 0])
    const next = buildFeatures(new History(values, march, 'Europe/Paris'), [72]).frame
    expect([...next.columns[featureNames.indexOf('hour')]!.subarray(0, 3)]).toEqual([1, 3, 4])
  })
})
