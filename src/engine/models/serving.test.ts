import { describe, expect, it } from 'vitest'
import type { StoredModel } from '../../core/life.ts'
import type { Target } from '../../core/target.ts'
import { Serving } from './serving.ts'

const target = (subject: string, site = 'home'): Target => ({ site, domain: 'energy', subject })

const stored = (version: string, of = target('heater')): StoredModel =>
  ({
    card: { target: of, unit: 'kWh', model: { name: 'm', version, kind: 'learned' } },
    body: '',
  }) as StoredModel

/** Says the number of its version. */
const model = (version: string) => ({ predict: () => Float64Array.of(Number(version)) })

const put = (serving: Serving, version: string, of?: Target): Promise<void> =>
  serving.swap(stored(version, of), model(version))

describe('serving', () => {
  it('answers by the version that is named, the old one to the end for those who asked before', async () => {
    const serving = new Serving(10)
    await put(serving, '1')
    const before = serving.lease(target('heater'))!
    const events: string[] = []
    const retired = put(serving, '2').then(() => events.push('1 retired'))
    const after = serving.lease(target('heater'))!
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
    const leases = [serving.lease(target('heater'))!, serving.lease(target('heater'))!]
    let isRetired = false
    const retired = serving.drop(target('heater')).then(() => {
      isRetired = true
    })
    leases[0]!.release()
    leases[0]!.release()
    await Promise.resolve()
    expect(isRetired).toBe(false)
    leases[1]!.release()
    await retired
    expect(serving.lease(target('heater'))).toBeUndefined()
  })

  it('holds so many models, and lets the one go that was put first', async () => {
    const serving = new Serving(2)
    for (const device of ['a', 'b', 'c']) await put(serving, '1', target(device))
    expect(serving.size).toBe(2)
    expect(serving.lease(target('a'))).toBeUndefined()
    expect(serving.lease(target('c'))).toBeDefined()
  })

  it('forgets a site', async () => {
    const serving = new Serving(10)
    await put(serving, '1', target('a', 'gone'))
    await put(serving, '1', target('a', 'gone too'))
    serving.removeSite('gone')
    expect(serving.size).toBe(1)
  })
})
