import { describe, expect, it } from 'vitest'
import type { SeriesKey } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { Serving } from './serving.ts'

const series = (device: string, site = 'home'): SeriesKey => ({ site, device, metric: 'energy' })

const stored = (version: string, of = series('heater')): StoredModel =>
  ({
    card: { series: of, unit: 'kWh', model: { name: 'm', version, kind: 'learned' } },
    body: '',
  }) as StoredModel

/** Says the number of its version. */
const model = (version: string) => ({ predict: () => Float64Array.of(Number(version)) })

const put = (serving: Serving, version: string, of?: SeriesKey): Promise<void> =>
  serving.swap(stored(version, of), model(version))

describe('serving', () => {
  it('answers by the version that is named, the old one to the end for those who asked before', async () => {
    const serving = new Serving(10)
    await put(serving, '1')
    const before = serving.lease(series('heater'))!
    const events: string[] = []
    const retired = put(serving, '2').then(() => events.push('1 retired'))
    const after = serving.lease(series('heater'))!
    await Promise.resolve()
    expect([before, after].map(({ ref, model: { predict } }) => [ref.version, predict([])[0]])).toEqual([
      ['1', 1],
      ['2', 2],
    ])
    expect(events).toEqual([])
    before.release()
    before.release()
    await retired
    expect(events).toEqual(['1 retired'])
  })

  it('waits for the last of several', async () => {
    const serving = new Serving(10)
    await put(serving, '1')
    const leases = [serving.lease(series('heater'))!, serving.lease(series('heater'))!]
    let isRetired = false
    const retired = serving.drop(series('heater')).then(() => {
      isRetired = true
    })
    leases[0]!.release()
    leases[0]!.release()
    await Promise.resolve()
    expect(isRetired).toBe(false)
    leases[1]!.release()
    await retired
    expect(serving.lease(series('heater'))).toBeUndefined()
  })

  it('holds so many models, and lets the one go that was put first', async () => {
    const serving = new Serving(2)
    for (const device of ['a', 'b', 'c']) await put(serving, '1', series(device))
    expect(serving.size).toBe(2)
    expect(serving.lease(series('a'))).toBeUndefined()
    expect(serving.lease(series('c'))).toBeDefined()
  })

  it('forgets a site', async () => {
    const serving = new Serving(10)
    await put(serving, '1', series('a', 'gone'))
    await put(serving, '1', series('a', 'gone too'))
    serving.removeSite('gone')
    expect(serving.size).toBe(1)
  })
})
