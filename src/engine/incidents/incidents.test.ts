import { beforeEach, describe, expect, test } from 'vitest'
import type { Incident, IncidentChange, MaintenanceWindow } from '../../core/incident.ts'
import { Incidents } from './incidents.ts'
import { made, minute, options } from './made-alerts.ts'

let incidents: Incidents
beforeEach(() => {
  incidents = new Incidents(options)
})

const take = (at: number, ...alerts: Parameters<Incidents['take']>[0]): IncidentChange[] =>
  incidents.take(alerts, minute(at))
const wake = (at: number): IncidentChange[] => incidents.wake(minute(at))
/** What people are told, with the level and the status at that moment. */
const told = (changes: readonly IncidentChange[]): string[] =>
  changes.flatMap(({ notify, incident }) =>
    notify === undefined ? [] : [`${notify} ${incident.level} ${incident.status}`],
  )
const idOf = ([change]: readonly IncidentChange[]): string => change?.incident.id ?? 'nothing changed'
const held = (id: string): Incident | undefined => incidents.get(id)
/** In minutes after the start. */
const wakeAt = (): number => (incidents.wakeAt - minute(0)) / 60_000

describe('an incident', () => {
  test('opens with an alert, and tells it once however often the alert comes', () => {
    expect(told(take(0, made(0)))).toEqual(['opened warning open'])
    expect(take(1, made(0), made(0))).toEqual([])
    expect(incidents.unresolved()).toMatchObject([
      { since: minute(0), occurrences: 1, message: 'The air is stuffy.', late: false, suppressed: false },
    ])
  })

  test('resolves only after all its alerts have been closed for five minutes', () => {
    const id = idOf(take(0, made(0), made(0, undefined, { rule: 'very stuffy' })))
    take(10, made(0, 10))
    expect(told(wake(59))).toEqual([])
    take(59, made(0, 59, { rule: 'very stuffy' }))
    expect(wake(63.9)).toEqual([])
    expect(told(wake(64))).toEqual(['resolved warning resolved'])
    expect(held(id)).toMatchObject({ closedAt: minute(59), resolvedAt: minute(64), occurrences: 2 })
  })

  test('counts an alert that flaps instead of telling it again', () => {
    const id = idOf(take(0, made(0)))
    for (const since of [0, 3, 6, 9]) {
      expect(told(take(since, made(since)))).toEqual([])
      expect(told(take(since + 1, made(since, since + 1)))).toEqual([])
    }
    expect(held(id)).toMatchObject({ occurrences: 4, status: 'open' })
    expect(incidents.unresolved()).toHaveLength(1)
  })

  test.each([
    ['within the cool-down opens again', 25, ['reopened warning open'], 1],
    ['after the cool-down is another one', 25.1, ['opened warning open'], 2],
  ])('that has resolved and whose condition comes back %s', (_, since, notifications, count) => {
    const first = idOf(take(0, made(0)))
    take(5, made(0, 5))
    wake(10)
    const changes = take(since, made(since))
    expect(told(changes)).toEqual(notifications)
    expect(new Set([first, idOf(changes)]).size).toBe(count)
  })

  test.each([
    ['another target', { subject: 'bedroom air' }],
    ['another domain', { domain: 'environment' }],
    ['another metric of the same device', { rule: 'damp', metric: 'humidity' }],
    ['another site', { site: 'office' }],
  ])('does not take the alerts of %s', (_, change) => {
    take(0, made(0), made(0, undefined, change))
    expect(incidents.unresolved().map(({ occurrences }) => occurrences)).toEqual([1, 1])
  })

  test('takes the alerts of all rules about one thing, and has the highest of their levels', () => {
    take(0, made(0))
    const changes = take(
      2,
      made(2, undefined, { rule: 'suffocating', level: 'critical', message: 'Get out.' }),
    )
    expect(told(changes)).toEqual(['escalated critical open'])
    expect(incidents.unresolved()).toMatchObject([{ level: 'critical', message: 'Get out.', occurrences: 2 }])
    take(3, made(2, 3, { rule: 'suffocating', level: 'critical' }))
    expect(incidents.unresolved()).toMatchObject([{ level: 'critical' }])
  })

  test('says so where the alert that opened it was late', () => {
    expect(take(600, made(0, undefined, { late: true }))).toMatchObject([
      { notify: 'opened', incident: { late: true, since: minute(0) } },
    ])
  })

  test('is told even where its alert has ended by the time it arrives', () => {
    expect(told(take(3, made(0), made(0, 2)))).toEqual(['opened warning open'])
    expect(told(wake(7))).toEqual(['resolved warning resolved'])
  })

  test('is recorded and told to nobody where only the end of its alert was seen', () => {
    const changes = take(3, made(0, 2))
    expect(told(changes)).toEqual([])
    expect(told(wake(7))).toEqual([])
    expect(held(idOf(changes))).toMatchObject({ status: 'resolved', resolvedAt: minute(7), occurrences: 1 })
  })

  test('keeps its newest alerts, counts all, and does not count an old one again', () => {
    incidents = new Incidents({ ...options, alertsKept: 3 })
    for (let since = 0; since < 20; since += 2) take(since, made(since), made(since, since + 1))
    take(20, made(2), made(2, 3))
    expect(incidents.unresolved()).toMatchObject([
      { occurrences: 10, alerts: [14, 16, 18].map((since) => ({ since: minute(since) })) },
    ])
  })

  test('is not opened again by an old report of a closed alert', () => {
    const id = idOf(take(0, made(0)))
    take(1, made(0, 1))
    wake(6)
    expect(take(7, made(0), { ...made(0), at: minute(6) })).toEqual([])
    expect(held(id)).toMatchObject({ status: 'resolved' })
  })

  test('is forgotten a day after it was resolved', () => {
    const id = idOf(take(0, made(0)))
    take(1, made(0, 1))
    wake(6)
    wake(6 + 24 * 60 - 1)
    expect(held(id)).toBeDefined()
    wake(6 + 24 * 60)
    expect(held(id)).toBeUndefined()
    expect(incidents.wakeAt).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('escalation', () => {
  test.each([
    ['critical', [5, 10, 15]],
    ['warning', [60, 120, 180]],
    ['info', []],
  ] as const)('tells of a %s incident again while nobody acknowledges it, up to a limit', (level, times) => {
    take(0, made(0, undefined, { level }))
    const reminded: number[] = []
    while (incidents.wakeAt < minute(10_000)) {
      reminded.push(wakeAt())
      expect(told(incidents.wake(incidents.wakeAt))).toEqual([`escalated ${level} open`])
    }
    expect(reminded).toEqual(times)
  })

  test('ends with the acknowledgement, and with the alert', () => {
    const acknowledged = idOf(take(0, made(0, undefined, { level: 'critical' })))
    incidents.acknowledge(acknowledged, 'Ada', minute(1))
    take(1, made(1, undefined, { level: 'critical', subject: 'b' }))
    take(2, made(1, 2, { level: 'critical', subject: 'b' }))
    expect(told(wake(600))).toEqual(['resolved critical resolved'])
    expect(held(acknowledged)).toMatchObject({
      status: 'acknowledged',
      acknowledged: { by: 'Ada', at: minute(1) },
    })
  })

  test('a rise of the level needs a new acknowledgement', () => {
    const id = idOf(take(0, made(0)))
    incidents.acknowledge(id, 'Ada', minute(1))
    expect(told(take(2, made(2, undefined, { rule: 'b', level: 'critical' })))).toEqual([
      'escalated critical open',
    ])
    expect(held(id)?.acknowledged).toBeUndefined()
  })
})

describe('a snooze', () => {
  test('silences until its end, and then tells what is still open', () => {
    const id = idOf(take(0, made(0)))
    incidents.snooze(id, minute(90), 'Ada', minute(1))
    expect(told(take(2, made(2, undefined, { rule: 'b' })))).toEqual([])
    expect(wake(89)).toEqual([])
    expect(wakeAt()).toBe(90)
    expect(held(id)).toMatchObject({ status: 'snoozed', occurrences: 2 })
    expect(told(wake(90))).toEqual(['reopened warning open'])
  })

  test('is broken by a rise of the level', () => {
    const id = idOf(take(0, made(0)))
    incidents.snooze(id, minute(90), 'Ada', minute(1))
    expect(told(take(2, made(2, undefined, { rule: 'b', level: 'critical' })))).toEqual([
      'escalated critical open',
    ])
  })

  test('keeps silent about what resolves meanwhile', () => {
    const id = idOf(take(0, made(0)))
    incidents.snooze(id, minute(90), 'Ada', minute(1))
    take(2, made(0, 2))
    expect(wakeAt()).toBe(7)
    expect(told(wake(7))).toEqual([])
    expect(held(id)).toMatchObject({ status: 'resolved' })
    expect(told(wake(200))).toEqual([])
  })
})

describe('resolving by hand', () => {
  test('ends an incident whose alert never closes, until a new alert comes', () => {
    const id = idOf(take(0, made(0)))
    expect(told(incidents.resolve(id, 'Ada', minute(1)))).toEqual(['resolved warning resolved'])
    expect(held(id)).toMatchObject({ resolvedBy: 'Ada', resolvedAt: minute(1), closedAt: minute(1) })
    expect(take(2, made(0))).toEqual([])
    expect(told(take(3, made(0, 3)))).toEqual([])
    expect(told(take(4, made(4)))).toEqual(['reopened warning open'])
    expect(held(id)?.resolvedBy).toBeUndefined()
  })

  test('holds for as long as the alert stays open, and a day after it was closed', () => {
    const id = idOf(take(0, made(0)))
    incidents.resolve(id, 'Ada', minute(1))
    wake(100 * 24 * 60)
    expect(take(100 * 24 * 60, made(0))).toEqual([])
    take(100 * 24 * 60, made(0, 100 * 24 * 60))
    wake(100 * 24 * 60)
    expect(held(id)).toBeUndefined()
  })

  test('what is resolved cannot be acknowledged, and what is not there not either', () => {
    const id = idOf(take(0, made(0)))
    incidents.resolve(id, 'Ada', minute(1))
    expect(() => incidents.acknowledge(id, 'Ada', minute(2))).toThrow(/is resolved already/)
    expect(() => incidents.snooze('unknown', minute(9), 'Ada', minute(2))).toThrow(/no incident "unknown"/)
  })
})

describe('a maintenance window', () => {
  const window = (change: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
    ...{ id: 'w', site: 'home', from: minute(10), to: minute(60), by: 'Ada', reason: 'new filters' },
    ...change,
  })

  test('records what happens in it, and tells at its end what is still open', () => {
    incidents.addWindow(window(), minute(0))
    wake(10)
    const id = idOf(take(20, made(20)))
    expect(held(id)).toMatchObject({ suppressed: true, status: 'open' })
    expect(wakeAt()).toBe(60)
    expect(told(wake(60))).toEqual(['opened warning open'])
    expect(held(id)?.suppressed).toBe(false)
    expect(incidents.windows()).toEqual([])
  })

  test('never tells what began and ended in it', () => {
    incidents.addWindow(window(), minute(0))
    take(20, made(20))
    take(25, made(20, 25))
    for (const at of [30, 60, 61]) expect(told(wake(at))).toEqual([])
  })

  test('stops the reminders of what was open before', () => {
    take(0, made(0, undefined, { level: 'critical' }))
    incidents.addWindow(window({ from: minute(1) }), minute(0))
    expect(told(wake(59))).toEqual([])
    expect(told(wake(60))).toEqual(['escalated critical open'])
  })

  test.each([
    ['its site', {}, true],
    ['another site', { site: 'office' }, false],
    ['its domain', { domain: 'thresholds' }, true],
    ['another domain', { domain: 'energy' }, false],
    ['its subject in any domain', { subject: 'air' }, true],
    ['another subject', { subject: 'fridge' }, false],
    ['its target', { domain: 'thresholds', subject: 'air' }, true],
  ])('of %s', (_, change, suppressed) => {
    incidents.addWindow(window({ from: minute(0), ...change }), minute(0))
    expect(take(20, made(20))).toMatchObject([{ incident: { suppressed } }])
  })

  test('does not silence emergencies: critical alerts of smoke and occupancy', () => {
    incidents.addWindow(window({ from: minute(0) }), minute(0))
    expect(told(take(20, made(20, undefined, { domain: 'smoke' })))).toEqual([])
    const fire = made(21, undefined, { domain: 'smoke', rule: 'fire', level: 'critical' })
    expect(told(take(21, fire))).toEqual(['opened critical open'])
    incidents = new Incidents({ ...options, emergencyDomains: [] })
    incidents.addWindow(window({ from: minute(0) }), minute(0))
    expect(told(take(21, fire))).toEqual([])
  })

  test('that is removed tells at once what it silenced', () => {
    incidents.addWindow(window({ from: minute(0) }), minute(0))
    take(20, made(20))
    expect(told(incidents.removeWindow('w', minute(21)))).toEqual(['opened warning open'])
  })

  test('ends for incidents of before a restart, though it ended while the hub was away', () => {
    incidents.addWindow(window({ from: minute(0) }), minute(0))
    take(20, made(20))
    const saved = incidents.takeUnsaved()
    incidents = new Incidents(options)
    incidents.restore(saved, [])
    expect(incidents.wakeAt).toBeLessThan(minute(0))
    expect(told(wake(90))).toEqual(['opened warning open'])
  })

  test('is one of a limited number', () => {
    for (const id of ['a', 'b', 'c']) incidents.addWindow(window({ id }), minute(0))
    expect(() => incidents.addWindow(window({ id: 'd' }), minute(0))).toThrow(
      /There are 3 maintenance windows/,
    )
  })
})

test('removing a site leaves nothing of it, and others untouched', () => {
  take(0, made(0), made(0, undefined, { site: 'office' }))
  incidents.removeSite('home')
  expect(incidents.takeUnsaved()).toMatchObject([{ target: { site: 'office' } }])
  expect(incidents.unresolved()).toMatchObject([{ target: { site: 'office' } }])
  expect(told(take(1, made(0)))).toEqual(['opened warning open'])
})

test('changes are handed out once, and again where they could not be saved, the newest of each incident', () => {
  const id = idOf(take(0, made(0)))
  const unsaved = incidents.takeUnsaved()
  expect(unsaved).toMatchObject([{ id, revision: 1 }])
  expect(incidents.takeUnsaved()).toEqual([])
  incidents.acknowledge(id, 'Ada', minute(1))
  incidents.returnUnsaved(unsaved)
  expect(incidents.takeUnsaved()).toMatchObject([{ id, revision: 2 }])
})
