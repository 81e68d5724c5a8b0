import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createDisk, settled, startProcess, storedReadings } from '../../test/faults/path-kit.ts'
import { VirtualClock } from '../../test/virtual-clock.ts'
import type { ThresholdRule } from '../contract/thresholds.ts'
import { isDerived } from '../core/series.ts'
import type { Target } from '../core/target.ts'
import { hourMs, minuteMs, secondMs } from '../core/time.ts'
import type { Domain, Effects, Monitor } from '../domains/domain.ts'
import { domains } from '../domains/index.ts'

const start = Date.UTC(2026, 4, 4, 12)
const hot: ThresholdRule = { name: 'hot', metric: 'temperature', above: 50, level: 'critical', forSeconds: 0 }
const target = { site: 'home', domain: 'thresholds', subject: 'stove' }

const temperature = (at: number, value: number, device = 'stove') => ({
  device,
  metric: 'temperature',
  value,
  at,
})
const power = (at: number, value: number, device = 'fridge') => ({ device, metric: 'power', value, at })

async function setUp(more: Parameters<typeof startProcess>[2] = {}) {
  const clock = new VirtualClock(start)
  const disk = await createDisk()
  const options = { rules: [hot], ...more }
  const hub = await startProcess(disk, clock, options)
  /** The process dies where it is; what was not committed is lost. */
  const restart = () => startProcess(disk, clock, options)
  return { clock, disk, hub, restart }
}

const derivedOf = async (disk: Awaited<ReturnType<typeof createDisk>>): Promise<string[]> =>
  (await storedReadings(disk))
    .filter(({ device }) => isDerived(device))
    .map(
      ({ device, metric, at, value }) => `${device} ${metric} ${(at - start) / minuteMs} ${value.toFixed(4)}`,
    )

describe('a monitor that throws', () => {
  const broken: Domain = {
    name: 'broken',
    settings: z.strictObject({}),
    scopes: (site, _settings, changed) =>
      [...(changed ?? site.all())].map((series) => ({
        target: { site: site.site, domain: 'broken', subject: series.device },
        sources: [series],
      })),
    monitor: (): Monitor => ({
      wakeAt: Number.POSITIVE_INFINITY,
      take() {
        throw new Error('out of order')
      },
    }),
  }

  it.each([
    [Number.NaN, start],
    [1, Number.NaN],
    [1, 1e300],
  ])('or derives what no store can take (%s at %s) costs its own conclusion only', async (value, at) => {
    const derives: Domain = {
      ...broken,
      monitor: ({ target: { site } }): Monitor => ({
        wakeAt: Number.POSITIVE_INFINITY,
        take: () => ({ derived: [{ site, device: '@broken:stove', metric: 'odd', unit: '1', value, at }] }),
      }),
    }
    const { hub, disk } = await setUp({ domains: [derives, ...domains] })
    expect(await hub.emit([temperature(start, 80)])).toEqual({ accepted: 1, rejected: [] })
    expect(hub.sent).toMatchObject([{ rule: 'hot', target }])
    expect(await storedReadings(disk)).toHaveLength(1)
    expect(hub.counters.monitorFaults.get('broken')).toBe(1)
  })

  const point = {
    metric: 'odd',
    unit: '1',
    at: start,
    madeAt: start,
    model: { kind: 'learned', name: 'm', version: '1' } as const,
  }
  const told = { rule: 'odd', level: 'info', since: start, at: start, message: '' } as const
  it.each<[string, (target: Target) => Effects]>([
    [
      'a prediction without a value',
      (target) => ({ predictions: [{ kind: 'value', target, ...point, value: Number.NaN }] }),
    ],
    ['an alert that begins at no time', (target) => ({ alerts: [{ ...told, target, since: Number.NaN }] })],
    ['an alert at a time that no date can hold', (target) => ({ alerts: [{ ...told, target, at: 9e15 }] })],
    [
      'a command with an infinite state',
      ({ site }) => ({
        commands: [{ id: 'c', site, device: 'd', state: { power: Number.POSITIVE_INFINITY }, expiresAt: 1 }],
      }),
    ],
  ])('that concludes %s costs its own conclusion only', async (_, effects) => {
    const concludes: Domain = {
      ...broken,
      monitor: (scope): Monitor => ({ wakeAt: Number.POSITIVE_INFINITY, take: () => effects(scope.target) }),
    }
    const { hub, disk } = await setUp({ domains: [concludes, ...domains] })
    expect(await hub.emit([temperature(start, 80)])).toEqual({ accepted: 1, rejected: [] })
    expect(await disk.ledger.alerts({}, 9)).toMatchObject([{ rule: 'hot', target }])
    expect(hub.counters.monitorFaults.get('broken')).toBe(1)
  })

  it('whose state cannot be saved loses its state only', async () => {
    const unsaved: Domain = {
      ...broken,
      monitor: (): Monitor => ({
        wakeAt: Number.POSITIVE_INFINITY,
        take: () => undefined,
        save: () => ({ count: 1n }),
      }),
    }
    const { hub, disk } = await setUp({ domains: [unsaved, ...domains] })
    expect(await hub.emit([temperature(start, 80)])).toEqual({ accepted: 1, rejected: [] })
    await hub.stop()
    expect(await storedReadings(disk)).toHaveLength(1)
    expect(hub.counters.monitorFaults.get('broken')).toBeGreaterThan(0)
  })

  it('neither drops the reading nor silences the others, and is counted and reported', async () => {
    const { hub, disk } = await setUp({ domains: [broken, ...domains] })
    expect(await hub.emit([temperature(start, 80)])).toEqual({ accepted: 1, rejected: [] })
    expect(hub.sent).toMatchObject([{ rule: 'hot', target }])
    expect(await storedReadings(disk)).toHaveLength(1)
    expect(hub.counters.monitorFaults.get('broken')).toBe(1)
    expect(hub.errors).toEqual([expect.stringContaining('out of order')])
  })
})

describe('history', () => {
  it('raises no alert when it is imported', async () => {
    const { hub, disk } = await setUp()
    await hub.emit([temperature(start - hourMs, 80), temperature(start - hourMs + 1, 20)])
    await hub.emit([temperature(start - 11 * minuteMs, 80)])
    expect([hub.sent, await disk.ledger.alerts({}, 9)]).toEqual([[], []])
  })

  it('raises its alert with the first live reading for which the condition still holds', async () => {
    const { hub } = await setUp()
    await hub.emit([temperature(start - hourMs, 80)])
    await hub.emit([temperature(start, 90)])
    expect(hub.sent).toMatchObject([{ rule: 'hot', since: start - hourMs }])
  })

  it('does not raise an alert whose condition the first live reading ends', async () => {
    const { hub } = await setUp()
    await hub.emit([temperature(start - hourMs, 80)])
    await hub.emit([temperature(start, 20)])
    expect(hub.sent).toEqual([])
  })

  it('still raises alerts of a domain that must tell late, marked as late', async () => {
    const patient = domains.map((domain) =>
      domain.name === 'thresholds' ? { ...domain, liveWithinMs: 24 * hourMs } : domain,
    )
    const { hub } = await setUp({ domains: patient })
    await hub.emit([temperature(start - 2 * hourMs, 80)])
    expect(hub.sent).toMatchObject([{ rule: 'hot', late: true }])
  })

  it('is derived all the same', async () => {
    const { hub, disk } = await setUp()
    const from = start - 24 * hourMs
    await hub.emit(Array.from({ length: 31 }, (_, index) => power(from + index * minuteMs, 600)))
    expect(await derivedOf(disk)).toHaveLength(4)
  })
})

describe('a restart', () => {
  it('takes up an open alert and closes it once', async () => {
    const { clock, hub, disk, restart } = await setUp()
    await hub.emit([temperature(start, 80)])
    const again = await restart()
    await clock.advance(secondMs)
    await again.emit([temperature(start + 1, 85), temperature(start + 2, 20)])
    expect(again.sent).toMatchObject([{ rule: 'hot', until: start + 2 }])
    expect(await disk.ledger.alerts({}, 9)).toMatchObject([{ since: start, until: start + 2 }])
  })

  it('goes on deriving in the middle of a quarter-hour, also without an orderly stop', async () => {
    const whole = await setUp()
    const cut = await setUp()
    const rows = Array.from({ length: 40 }, (_, index) => power(start + index * minuteMs, 100 + index))
    await whole.hub.emit(rows)
    await cut.hub.emit(rows.slice(0, 7))
    await cut.hub.emit(rows.slice(7, 9))
    await (await cut.restart()).emit(rows.slice(9))
    expect(await derivedOf(cut.disk)).toEqual(await derivedOf(whole.disk))
    expect(await derivedOf(whole.disk)).toHaveLength(4)
  })

  it('does not take derived series for devices', async () => {
    const { hub, disk, restart } = await setUp()
    await hub.emit(Array.from({ length: 20 }, (_, index) => power(start + index * minuteMs, 100)))
    await (await restart()).emit([power(start + hourMs, 100)])
    expect((await disk.ledger.devices()).map(({ id }) => id)).toEqual(['fridge'])
  })

  it('replays more than the windows hold from the store', async () => {
    const whole = await setUp()
    const cut = await setUp({ windowReadings: 3 })
    const rows = Array.from({ length: 40 }, (_, index) => power(start + index * minuteMs, 100 + index))
    await whole.hub.emit(rows)
    await cut.hub.emit(rows.slice(0, 1))
    await cut.hub.emit(rows.slice(1, 30))
    await (await cut.restart()).emit(rows.slice(30))
    expect(await derivedOf(cut.disk)).toEqual(await derivedOf(whole.disk))
  })

  it('derives what was stored before there was a monitor', async () => {
    const { clock, disk, hub } = await setUp({ domains: [] })
    await hub.emit(Array.from({ length: 200 }, (_, index) => power(start + index * minuteMs, 600)))
    await hub.stop()
    const after = await startProcess(disk, clock)
    await clock.advance(10 * secondMs)
    expect(await derivedOf(disk)).toHaveLength(2 * 13)
    expect((await derivedOf(disk))[0]).toBe('@energy:fridge energy 0 0.1500')
    expect([after.errors, await disk.ledger.dirtySpans()]).toEqual([[], []])
  })
})

describe('readings that arrive late', () => {
  it('are derived again, to the same values as in order', async () => {
    const whole = await setUp()
    const late = await setUp()
    const rows = Array.from({ length: 100 }, (_, index) => power(start + index * minuteMs, 100 + index))
    await whole.hub.emit(rows)
    const missing = rows.slice(40, 47)
    await late.hub.emit(rows.filter((row) => !missing.includes(row)))
    await late.hub.emit(missing)
    expect(await late.disk.ledger.dirtySpans()).toMatchObject([{ target: { subject: 'fridge' } }])
    await late.clock.advance(5 * minuteMs)
    expect(await derivedOf(late.disk)).toEqual(await derivedOf(whole.disk))
    expect(await late.disk.ledger.dirtySpans()).toEqual([])
  })

  it('count in the quarter-hour that is still open', async () => {
    const whole = await setUp()
    const late = await setUp()
    const rows = Array.from({ length: 40 }, (_, index) => power(start + index * minuteMs, 100 + 10 * index))
    await whole.hub.emit(rows)
    await late.hub.emit([...rows.slice(0, 20), ...rows.slice(22, 25)])
    await late.hub.emit(rows.slice(20, 22))
    await late.clock.advance(2 * secondMs)
    await late.hub.emit(rows.slice(25))
    expect(await derivedOf(late.disk)).toEqual(await derivedOf(whole.disk))
  })

  it('are not taken for late when they are only sent again', async () => {
    const { hub, disk } = await setUp()
    const rows = Array.from({ length: 30 }, (_, index) => power(start + index * minuteMs, 100))
    await hub.emit(rows)
    await hub.emit(rows)
    expect(await disk.ledger.dirtySpans()).toEqual([])
  })
})

describe('a commit that failed for good', () => {
  it('loses no derived value once the sender has sent again', async () => {
    const whole = await setUp()
    const { clock, hub, disk } = await setUp()
    const rows = Array.from({ length: 100 }, (_, index) => power(start + index * minuteMs, 100 + index))
    await whole.hub.emit(rows)
    await hub.emit(rows.slice(0, 20))
    disk.faults.appends = 3
    const answer = settled(hub.emit(rows.slice(20, 50)), clock)
    await expect(answer).rejects.toMatchObject({ code: 'store_failed' })
    await hub.emit(rows.slice(20, 50))
    await hub.emit(rows.slice(50))
    await clock.advance(5 * minuteMs)
    expect(await derivedOf(disk)).toEqual(await derivedOf(whole.disk))
  })
})

describe('incidents', () => {
  it('are committed with their alerts, or owed with them', async () => {
    const { clock, hub, disk } = await setUp()
    disk.faults.records = 3
    await expect(settled(hub.emit([temperature(start, 80)]), clock)).rejects.toMatchObject({
      code: 'store_failed',
    })
    expect([await disk.ledger.alerts({}, 9), await disk.ledger.incidents.list({}, 9)]).toEqual([[], []])
    await hub.emit([temperature(start + 1, 85)])
    expect(await disk.ledger.alerts({}, 9)).toMatchObject([{ since: start }])
    expect(await disk.ledger.incidents.list({}, 9)).toMatchObject([{ since: start, status: 'open' }])
  })

  it('are the same after a restart, and end with an alert that ended meanwhile', async () => {
    // a warning: the process that is gone would tell of a critical one again within the test
    const { clock, hub, disk, restart } = await setUp({ rules: [{ ...hot, level: 'warning' }] })
    await hub.emit([temperature(start, 80)])
    const [opened] = await disk.ledger.incidents.list({}, 9)
    // stored by a process that died before it could react
    const series = { site: 'home', device: 'stove', metric: 'temperature', unit: 'degC' }
    await disk.readings.append([{ ...series, value: 20, at: start + minuteMs }])
    await clock.advance(2 * minuteMs)
    await restart()
    await clock.advance(10 * minuteMs)
    expect(await disk.ledger.incidents.list({}, 9)).toMatchObject([
      { id: opened?.id, occurrences: 1, closedAt: start + minuteMs, status: 'resolved' },
    ])
  })
})

describe('a site that is removed', () => {
  it('takes the states of its monitors along', async () => {
    const { hub, disk } = await setUp()
    await hub.emit([temperature(start, 80)])
    await hub.path.removeSite('home')
    await disk.readings.removeSite('home')
    await disk.ledger.removeSite('home')
    expect([await disk.ledger.monitorStates(), await disk.ledger.dirtySpans()]).toEqual([[], []])
    await hub.emit([temperature(start + 1, 20), temperature(start + 2, 80)])
    // a new alert, not the close of the one that went with the site
    expect(hub.sent).toMatchObject([{ since: start }, { since: start + 2 }])
  })
})

describe('a site that is removed while its history is derived again', () => {
  it('does not come back', async () => {
    const { clock, disk, hub } = await setUp({ domains: [] })
    await hub.emit(Array.from({ length: 200 }, (_, index) => power(start + index * minuteMs, 600)))
    await hub.stop()
    let removed: Promise<void> | undefined
    const scan = disk.readings.scan.bind(disk.readings)
    const remove = async (): Promise<void> => {
      await after.path.removeSite('home')
      await disk.readings.removeSite('home')
      await disk.ledger.removeSite('home')
    }
    disk.readings.scan = (...range) => {
      removed ??= remove()
      return scan(...range)
    }
    const after = await startProcess(disk, clock)
    await clock.advance(10 * secondMs)
    await removed
    await settled(after.stop(), clock)
    expect(removed).toBeDefined()
    expect([
      await storedReadings(disk),
      await disk.ledger.monitorStates(),
      await disk.ledger.dirtySpans(),
    ]).toEqual([...[[], [], []]])
  })
})

describe('a monitor that asks to be woken', () => {
  const silence: Domain = {
    name: 'silence',
    settings: z.strictObject({}),
    scopes: (site, _settings, changed) =>
      [...(changed ?? site.all())].map((series) => ({
        target: { site: site.site, domain: 'silence', subject: series.device },
        sources: [series],
      })),
    monitor({ target: subject }) {
      let wakeAt = Number.POSITIVE_INFINITY
      return {
        get wakeAt() {
          return wakeAt
        },
        take(event, now) {
          if (event !== 'wake') {
            wakeAt = event.at + hourMs
            return undefined
          }
          wakeAt = Number.POSITIVE_INFINITY
          const message = 'It is silent.'
          return {
            alerts: [{ target: subject, rule: 'silent', level: 'warning', since: now, at: now, message }],
          }
        },
      }
    },
  }

  it('is woken at that time without a reading, and its alert is stored', async () => {
    const { clock, hub, disk } = await setUp({ domains: [silence] })
    await hub.emit([temperature(start, 20)])
    await clock.advance(30 * minuteMs)
    await hub.emit([temperature(start + 30 * minuteMs, 20)])
    await clock.advance(59 * minuteMs)
    expect(hub.sent).toEqual([])
    await clock.advance(2 * minuteMs)
    expect(hub.sent).toMatchObject([{ rule: 'silent', since: expect.closeTo(start + 90 * minuteMs, -4) }])
    expect(await disk.ledger.alerts({}, 9)).toHaveLength(1)
  })
})

describe('settings of a site', () => {
  const at = (site: string, seconds: number, value: number) => ({
    ...temperature(start + seconds * secondMs, value),
    site,
  })
  const below = (above: number) => ({ rules: [{ ...hot, above }] })
  const alertsOf = (hub: Awaited<ReturnType<typeof setUp>>['hub']): string[] =>
    hub.sent.map((alert) => {
      const end = alert.until === undefined ? 'open' : `closed at ${(alert.until - start) / secondMs}`
      return `${alert.target.site} ${alert.rule} since ${(alert.since - start) / secondMs} ${end}`
    })

  it('reach the monitors of that site and no other, without a restart', async () => {
    const { hub } = await setUp()
    await hub.emit([at('home', 0, 40), at('office', 0, 40)])
    await hub.put('thresholds', 'home', below(30))
    await hub.emit([at('home', 1, 40), at('office', 1, 40)])
    await hub.put('thresholds', 'home', {})
    await hub.emit([at('home', 2, 40), at('office', 2, 60)])
    expect(alertsOf(hub)).toEqual([
      ...['home hot since 1 open', 'home hot since 1 closed at 2', 'office hot since 2 open'],
    ])
  })

  it('apply after a restart', async () => {
    const { hub, restart } = await setUp()
    await hub.emit([at('home', 0, 40), at('office', 0, 40)])
    await hub.put('thresholds', 'home', below(30))
    const again = await restart()
    await again.emit([at('home', 1, 40), at('office', 1, 40)])
    // the newest stored readings are replayed
    expect(alertsOf(again)).toEqual(['home hot since 0 open'])
  })

  it('keep an open alert whose condition still holds', async () => {
    const { hub, disk } = await setUp()
    await hub.emit([at('home', 0, 80)])
    await hub.put('thresholds', 'home', below(60))
    await hub.emit([at('home', 1, 80), at('home', 2, 55)])
    expect(alertsOf(hub)).toEqual(['home hot since 0 open', 'home hot since 0 closed at 2'])
    expect(await disk.ledger.alerts({ open: true }, 9)).toEqual([])
  })

  it.each([
    ['a rule that is gone', [{ ...hot, name: 'other', above: 90 }]],
    ['a target that is gone', []],
  ])('close the open alert of %s', async (_name, rules) => {
    const { clock, hub, disk } = await setUp()
    await hub.emit([at('home', 0, 80)])
    await hub.put('thresholds', 'home', { rules })
    await clock.advance(secondMs)
    expect(hub.sent).toMatchObject([{ rule: 'hot' }, { rule: 'hot', until: expect.any(Number) }])
    expect(await disk.ledger.alerts({ open: true }, 9)).toEqual([])
  })

  it('that the schema refuses now do not keep the hub from starting', async () => {
    const { hub, disk, restart } = await setUp()
    await hub.emit([at('home', 0, 20)])
    const key = { site: 'home', domain: 'thresholds', kind: 'settings', key: '' }
    await disk.ledger.records.put([{ ...key, at: start, body: { old: true } }], 9)
    const again = await restart()
    await again.emit([at('home', 1, 80)])
    expect(alertsOf(again)).toEqual(['home hot since 1 open'])
    expect(again.errors).toEqual([expect.stringContaining('domains.thresholds is not valid')])
  })

  it('are forgotten with the site', async () => {
    const { hub, disk } = await setUp()
    await hub.emit([at('home', 0, 20)])
    await hub.put('thresholds', 'home', below(30))
    hub.path.removeSite('home')
    await disk.ledger.removeSite('home')
    await hub.emit([at('home', 1, 40)])
    expect(hub.sent).toEqual([])
  })
})

describe('a target that gets another source', () => {
  it('has a new monitor, which goes on where the old one was', async () => {
    const cold: ThresholdRule = { name: 'dry', metric: 'humidity', below: 30, level: 'info', forSeconds: 0 }
    const { hub } = await setUp({ rules: [hot, cold] })
    await hub.emit([temperature(start, 80)])
    await hub.emit([{ device: 'stove', metric: 'humidity', value: 20, at: start + 1 }])
    await hub.emit([temperature(start + 2, 20)])
    expect(hub.sent).toMatchObject([{ rule: 'hot' }, { rule: 'dry' }, { rule: 'hot', until: start + 2 }])
  })
})
