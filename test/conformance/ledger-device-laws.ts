import { expect, it } from 'vitest'
import type { DeviceChange, Removal } from '../../src/core/device.ts'
import type { Ledger } from '../../src/core/ports.ts'
import { emptyFacts } from '../../src/core/turn.ts'
import type { Law } from './ledger.ts'
import { incident } from './ledger-incident-laws.ts'
import { drift, entry, ever, forgotten, job, logged, modelEvent, reportDay } from './ledger-life-samples.ts'
import {
  alert,
  alertTarget,
  card,
  device,
  forecast,
  keep,
  power,
  prediction,
  series,
  site,
  target,
} from './ledger-samples.ts'

/** What people did to devices: `Ledger.change`. */

const removal = (id: string, change: Partial<Removal> = {}): Removal => ({
  ...{ id, kind: 'deleted', site: 'home', device: 'meter', at: 5, until: 9, by: 'Key a' },
  series: [{ key: series, unit: 'W' }],
  ...{ targets: [target, alertTarget], narrowed: [] },
  ...change,
})
const removed = (id: string, change: Partial<Removal> = {}): DeviceChange => ({
  kind: 'removed',
  removal: removal(id, change),
})
const restored = (id: string, change: Partial<Removal> = {}): DeviceChange => ({
  kind: 'restored',
  removal: removal(id, change),
})
const merge = { kind: 'merged', into: 'main' } as const

/** Everything of a device, and something of another. */
async function fill(ledger: Ledger): Promise<void> {
  const { models, jobs, watch, notes, incidents } = ledger
  await ledger.putSites([site('home')])
  await ledger.putDevices([device('meter', { room: 'hall', name: 'The meter' }), device('main')])
  await ledger.putForecasts([forecast(), forecast({ target: { ...target, subject: 'main' } })])
  await ledger.putPredictions([prediction()])
  await ledger.putAlerts([alert({ until: 2000 })])
  await incidents.put([incident('a', { target: alertTarget })])
  await models.put([entry('v1')], [modelEvent(1)])
  await jobs.put([job('done', { status: 'done', endedAt: 5 })])
  await watch.log([logged(0, 'v1')])
  await watch.score([reportDay(1)], [{ ...power, to: 5 }])
  await watch.putDrifts([drift('v1')])
  await notes.putForgotten([forgotten('a')])
  const spans = [{ from: 0, to: 5 }]
  const states = [{ target, at: 1, state: '{}' }]
  await ledger.record({ ...emptyFacts, states, dirty: [{ target, spans }] })
}

const everything = async (l: Ledger) => ({
  devices: await l.devices(),
  forecasts: (await l.forecasts()).map(({ target: { subject } }) => subject),
  predictions: await l.predictions(power, ...ever, 9),
  alerts: await l.alerts({}, 9),
  incidents: [(await l.incidents.list({}, 9)).length, (await l.incidents.recent(0)).length],
  incident: (await l.incidents.get('a'))?.id,
  models: [await l.models.all(), await l.models.of(target), await l.models.events({}, 9)],
  logged: (await l.watch.logged(power, ...ever)).length,
  days: await l.watch.days(power, ...ever),
  scoredTo: await l.watch.scoredTo(power),
  drifts: await l.watch.drifts(target),
  forgotten: await l.notes.forgotten(),
})

const nothing = {
  devices: [device('main')],
  forecasts: ['main'],
  ...{ predictions: [], alerts: [], incidents: [0, 0], incident: undefined, models: [[], [], []] },
  ...{ logged: 0, days: [], scoredTo: undefined, drifts: [], forgotten: [] },
}

export const deviceLaws: readonly Law[] = [
  {
    name: 'what people say of a device is kept, and goes where they take it back',
    put: [
      (l) => l.putDevices([device('a', { name: 'Ä', role: 'grid', hidden: true, fixed: ['room', 'type'] })]),
      (l) => l.putDevices([device('b', { name: 'B', role: 'solar' })]),
      (l) => l.change({ kind: 'edited', device: device('b', { room: 'hall', fixed: ['room'] }) }),
    ],
    read: async (l) => [await l.devices(), await l.rooms()],
    gives: [
      [
        device('a', { name: 'Ä', role: 'grid', hidden: true, fixed: ['room', 'type'] }),
        device('b', { room: 'hall', fixed: ['room'] }),
      ],
      [{ site: 'home', id: 'hall' }],
    ],
  },
  {
    name: 'a removed device and its targets are in no answer',
    put: [fill, (l) => l.change(removed('r'), 4)],
    read: async (l) => [
      await everything(l),
      await l.jobs.all(),
      await l.monitorStates(),
      await l.dirtySpans(),
      await l.position(),
      await l.removals.list(),
      await l.removals.versions(removal('r')),
    ],
    gives: [nothing, [], [], [], 4, [removal('r')], [{ target, version: 'v1' }]],
  },
  {
    name: 'an erased removal cannot be restored',
    put: [
      fill,
      (l) => l.change(removed('r')),
      (l) => l.change({ kind: 'erased', removal: removal('r') }),
      (l) => l.change(restored('r')),
    ],
    read: async (l) => [await everything(l), await l.removals.list()],
    gives: [nothing, []],
  },
  {
    name: 'a series that is removed alone leaves its device and the targets that remain',
    put: [fill, (l) => l.change(removed('r', { metric: 'power', targets: [alertTarget] }))],
    read: async (l) => [(await l.devices()).length, await l.alerts({}, 9), (await l.models.all()).length],
    gives: [2, [], 1],
  },
  {
    name: 'a merge outlives what it hid, and goes when it is undone',
    put: [
      fill,
      (l) => l.change(removed('r', merge)),
      (l) => l.change({ kind: 'erased', removal: removal('r', merge) }),
      (l) => l.change(removed('s', { ...merge, device: 'other', series: [], targets: [] })),
      (l) => l.change(restored('s', { ...merge, device: 'other', series: [], targets: [] })),
    ],
    read: (l) => l.removals.merges(),
    gives: [{ site: 'home', device: 'meter', into: 'main' }],
  },
  {
    name: 'removals come newest first, by site, and go with it',
    put: [
      (l) => l.change(removed('a', { at: 1 })),
      (l) => l.change(removed('c', { at: 2 })),
      (l) => l.change(removed('b', { at: 2 })),
      (l) => l.change(removed('o', { ...merge, site: 'office', series: [], targets: [] })),
      (l) => l.change(removed('gone', { ...merge, site: 'gone', series: [], targets: [] })),
      (l) => l.removeSite('gone'),
    ],
    read: async (l) => [
      (await l.removals.list()).map(({ id }) => id),
      (await l.removals.list('office')).map(({ id }) => id),
      (await l.removals.merges()).map((one) => one.site),
    ],
    gives: [['o', 'b', 'c', 'a'], ['o'], ['office']],
  },
]

export function testDeviceChanges(ledger: () => Ledger): void {
  it('gives everything of a removed device back as it was', async () => {
    await fill(ledger())
    const before = await everything(ledger())
    await ledger().change(removed('r'))
    await ledger().change(removed('r'))
    expect(await everything(ledger())).toStrictEqual(nothing)
    await ledger().change(restored('r'))
    await ledger().change(restored('r'))
    expect(await everything(ledger())).toStrictEqual(before)
    expect(await ledger().removals.list()).toStrictEqual([])
  })

  it('keeps what came since under the same names when a removal is restored', async () => {
    await fill(ledger())
    await ledger().change(removed('r'))
    await ledger().putDevices([device('meter', { type: 'appliance' })])
    await ledger().putForecasts([forecast({ origin: 1 })])
    await ledger().putAlerts([alert({ message: 'Since.', until: 2000 }), alert({ since: 7 })])
    await ledger().watch.score([reportDay(1, { knownMs: 1 }), reportDay(2)], [{ ...power, to: 99 }])
    await ledger().change(restored('r'))
    expect(await ledger().devices()).toStrictEqual([
      device('main'),
      device('meter', { room: 'hall', name: 'The meter' }),
    ])
    expect((await ledger().forecasts()).map(({ origin }) => origin)).toStrictEqual([36_000_000, 1])
    expect((await ledger().alerts({}, 9)).map(({ since, message }) => [since, message])).toStrictEqual([
      [1000, 'Since.'],
      [7, alert().message],
    ])
    expect(
      (await ledger().watch.days(power, ...ever)).map(({ day, knownMs }) => [day, knownMs]),
    ).toStrictEqual([
      [1, 1],
      [2, 7_200_000],
    ])
    expect(await ledger().watch.scoredTo(power)).toBe(99)
  })

  it('hides of a target that keeps other sources the alerts about the removed series only', async () => {
    const narrow = { metric: 'power', targets: [], narrowed: [alertTarget] }
    const others = [alert({ metric: 'soc', rule: 'low' }), alert({ metric: 'soc', since: 7 })]
    await ledger().putAlerts([alert(), ...others])
    await ledger().change(removed('r', narrow))
    expect(await ledger().alerts({}, 9)).toStrictEqual([...others].sort((a, b) => b.since - a.since))
    await ledger().change(restored('r', narrow))
    expect(await ledger().alerts({}, 9)).toHaveLength(3)
    await ledger().change(removed('s', narrow))
    await ledger().change({ kind: 'erased', removal: removal('s', narrow) })
    expect(await ledger().alerts({}, 9)).toHaveLength(2)
  })

  it('has one live model of a target after a removal is restored', async () => {
    const naive = entry('naive', { card: card({ model: { name: 'n', version: 'naive', kind: 'naive' } }) })
    const statuses = async () =>
      (await ledger().models.of(target)).map(({ card: { model }, status }) => [model.version, status])
    await fill(ledger())
    await ledger().change(removed('r'))
    await ledger().models.put([naive], [])
    await ledger().change(restored('r'))
    expect((await statuses()).sort()).toStrictEqual([
      ['naive', 'retired'],
      ['v1', 'live'],
    ])
    await ledger().change(removed('s'))
    await ledger().models.put([entry('v2')], [])
    await ledger().change(restored('s'))
    expect((await statuses()).sort()).toStrictEqual([
      ['naive', 'retired'],
      ['v1', 'retired'],
      ['v2', 'live'],
    ])
  })

  it('erases what a removal hides when old rows are deleted or the site goes', async () => {
    await fill(ledger())
    await ledger().change(removed('r'))
    await ledger().maintain(keep())
    await ledger().removeSite('home')
    await ledger().change(restored('r'))
    expect(await everything(ledger())).toMatchObject({ devices: [], alerts: [], forecasts: [] })
  })
}
