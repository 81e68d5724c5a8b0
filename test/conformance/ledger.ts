import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PointPrediction } from '../../src/core/event.ts'
import type { Ledger } from '../../src/core/ports.ts'
import { emptyFacts } from '../../src/core/turn.ts'
import { deviceLaws, testDeviceChanges } from './ledger-device-laws.ts'
import { incident, incidentLaws, maintenanceWindow } from './ledger-incident-laws.ts'
import { lifeLaws } from './ledger-life.ts'
import { eventFunction, forgotten, info, modelEvent, reportDay, trigger } from './ledger-life-samples.ts'
import { peopleLaws, testPeopleCalls } from './ledger-people-laws.ts'
import { recordLaws, testRecordCalls } from './ledger-record-laws.ts'
import {
  alert,
  alertTarget,
  device,
  forecast,
  keep,
  key,
  power,
  prediction,
  quarantined,
  site,
  target,
} from './ledger-samples.ts'

/** A fresh, empty ledger, not yet open. `reopen` gives a second one on the same content, where content outlives it. */
export interface LedgerFixture {
  readonly ledger: Ledger
  readonly reopen?: () => Ledger
  readonly dispose?: () => Promise<void>
}

export interface LedgerSuiteOptions {
  readonly create: (options: { readonly quarantineLimit?: number }) => Promise<LedgerFixture>
}

/** What is put, what is read, what must come. Each runs as it stands, and again after closing and opening. */
export interface Law {
  readonly name: string
  readonly put: readonly ((ledger: Ledger) => Promise<unknown>)[]
  readonly read: (ledger: Ledger) => Promise<unknown>
  readonly gives: unknown
}

const office = { ...target, site: 'office' }

const laws: readonly Law[] = [
  {
    name: 'sites come ordered by id, and a known one is replaced',
    put: [
      (l) => l.putSites([site('b'), site('a'), site('B', { demo: true })]),
      (l) => l.putSites([site('a', { name: 'Ἑστία' })]),
    ],
    read: (l) => l.sites(),
    gives: [site('B', { demo: true }), site('a', { name: 'Ἑστία' }), site('b')],
  },
  {
    name: 'a turn with a fact that cannot be kept is refused, and nothing of it is kept',
    put: [
      async (l) => {
        const wrong = prediction({ value: Number.NaN })
        const refused = l.record({ ...emptyFacts, sites: [site('a')], predictions: [wrong] }, 5)
        await expect(refused).rejects.toMatchObject({ code: 'turn_refused' })
      },
      (l) => l.record({ ...emptyFacts, sites: [site('b')] }),
    ],
    read: async (l) => [await l.sites(), await l.position()],
    gives: [[site('b')], 0],
  },
  {
    name: 'the position of the journal is the last one that came with facts, or without any',
    put: [
      async (l) => expect(await l.position()).toBe(0),
      (l) => l.record({ ...emptyFacts, sites: [site('a')] }, 5),
      (l) => l.record(emptyFacts, 2 ** 40),
      (l) => l.record({ ...emptyFacts, sites: [site('b')] }),
    ],
    read: async (l) => [await l.position(), (await l.sites()).map(({ id }) => id)],
    gives: [2 ** 40, ['a', 'b']],
  },
  {
    name: 'an empty batch changes nothing',
    put: [
      (l) => l.putSites([]),
      (l) => l.putDevices([]),
      (l) => l.putForecasts([]),
      (l) => l.putPredictions([]),
      (l) => l.putAlerts([]),
      (l) => l.putQuarantined([]),
    ],
    read: async (l) => [await l.sites(), await l.devices(), await l.forecasts(), await l.alerts({}, 9)],
    gives: [[], [], [], []],
  },
  {
    name: 'a device keeps its attributes of each kind and its room',
    put: [
      (l) =>
        l.putDevices([device('d', { room: 'kitchen', attributes: { watts: 1.5, on: true, model: 'x' } })]),
    ],
    read: (l) => l.devices(),
    gives: [device('d', { room: 'kitchen', attributes: { watts: 1.5, on: true, model: 'x' } })],
  },
  {
    name: 'an absent room leaves the known one, a named one moves the device, also within one batch',
    put: [
      (l) => l.putDevices([device('a', { room: 'kitchen' }), device('b', { room: 'kitchen' }), device('c')]),
      (l) => l.putDevices([device('a', { type: 'meter' }), device('b', { room: 'hall' }), device('b')]),
    ],
    read: (l) => l.devices('home'),
    gives: [device('a', { type: 'meter', room: 'kitchen' }), device('b', { room: 'hall' }), device('c')],
  },
  {
    name: 'the rooms that devices name are there, by site',
    put: [
      (l) =>
        l.putDevices([
          device('a', { room: 'kitchen' }),
          device('b', { room: 'kitchen' }),
          device('c', { room: 'hall' }),
          device('c', { site: 'office', room: 'hall' }),
        ]),
    ],
    read: async (l) => [await l.rooms(), await l.rooms('office'), await l.rooms('nowhere')],
    gives: [
      [
        { site: 'home', id: 'hall' },
        { site: 'home', id: 'kitchen' },
        { site: 'office', id: 'hall' },
      ],
      [{ site: 'office', id: 'hall' }],
      [],
    ],
  },
  {
    name: 'a forecast is kept to the last bit',
    put: [(l) => l.putForecasts([forecast()])],
    read: (l) => l.forecasts(),
    gives: [forecast()],
  },
  {
    name: 'a forecast of the same or a later origin replaces, an older one does not, also within one batch',
    put: [
      (l) => l.putForecasts([forecast({ origin: 5 }), forecast({ origin: 5, metric: 'energy' })]),
      (l) =>
        l.putForecasts([
          forecast({ origin: 4, madeAt: 99 }),
          forecast({ origin: 5, metric: 'energy', madeAt: 7 }),
        ]),
      (l) =>
        l.putForecasts([forecast({ origin: 8, target: office }), forecast({ origin: 6, target: office })]),
    ],
    read: async (l) =>
      (await l.forecasts()).map(({ target: { site }, metric, origin, madeAt }) => [
        site,
        metric,
        origin,
        madeAt,
      ]),
    gives: [
      ['home', 'energy', 5, 7],
      ['home', 'power', 5, forecast().madeAt],
      ['office', 'power', 8, forecast().madeAt],
    ],
  },
  {
    name: 'predictions of a series come by time, from inclusive to exclusive; the same twice is one',
    put: [
      (l) => l.putPredictions([30, 10, 20].map((at) => prediction({ at }))),
      (l) => l.putPredictions([prediction({ at: 20, value: 7 }), prediction({ at: 20, madeAt: 1 })]),
      (l) => l.putPredictions([prediction({ at: 15, target: { ...target, subject: 'other' } })]),
    ],
    read: async (l) => [await l.predictions(power, 10, 30, 9), await l.predictions(power, 21, 30, 9)],
    gives: [
      [prediction({ at: 10 }), prediction({ at: 20, madeAt: 1 }), prediction({ at: 20, value: 7 })],
      [],
    ],
  },
  {
    name: 'alerts: the same rule, target and start replaces',
    put: [
      (l) => l.putAlerts([alert(), alert({ since: 2000, level: 'critical' })]),
      (l) => l.putAlerts([alert({ at: 1500 }), alert({ until: 1600 })]),
    ],
    read: (l) => l.alerts({}, 9),
    gives: [alert({ since: 2000, level: 'critical' }), alert({ until: 1600 })],
  },
  {
    name: 'alerts: newest first, of the sites asked for, open or closed, at most the limit, after a key',
    put: [
      (l) =>
        l.putAlerts([
          alert({ since: 1 }),
          alert({ since: 3 }),
          alert({ since: 2, target: { ...alertTarget, site: 'office' } }),
          alert({ since: 3, rule: 'b', until: 4 }),
        ]),
    ],
    read: async (l) =>
      [
        await l.alerts({}, 2),
        await l.alerts({ sites: ['home'] }, 1),
        await l.alerts({ sites: ['nowhere'] }, 9),
        await l.alerts({ sites: [] }, 9),
        await l.alerts({ open: true }, 9),
        await l.alerts({ open: false }, 9),
        await l.alerts({ after: alert({ since: 3, rule: 'b' }) }, 9),
        await l.alerts({ after: alert({ since: 3 }), sites: ['home'] }, 9),
      ].map((rows) => rows.map(({ since, rule }) => `${since} ${rule}`)),
    gives: [
      ['3 b', '3 too much'],
      ['3 b'],
      [],
      [],
      ['3 too much', '2 too much', '1 too much'],
      ['3 b'],
      ['3 too much', '2 too much', '1 too much'],
      ['1 too much'],
    ],
  },
  {
    name: 'NUL and halves of surrogate pairs in a bad payload do not cost the rest of it',
    put: [(l) => l.putQuarantined([quarantined(1, { payload: 'a\0b\ud800c€😀', message: 'x\0y' })])],
    read: async (l) => (await l.quarantined(10)).map(({ row }) => row),
    gives: [quarantined(1, { payload: 'a\ufffdb\ufffdc€😀', message: 'x\ufffdy' })],
  },
  {
    name: 'keys keep their sites: all, some, none',
    put: [
      (l) => l.putKey(key('c')),
      (l) => l.putKey(key('a', { sites: ['home', 'office'], role: 'viewer' })),
      (l) => l.putKey(key('b', { sites: [] })),
      (l) => l.putKey(key('c', { name: 'renamed', role: 'admin' })),
    ],
    read: (l) => l.keys(),
    gives: [
      key('a', { sites: ['home', 'office'], role: 'viewer' }),
      key('b', { sites: [] }),
      key('c', { name: 'renamed', role: 'admin' }),
    ],
  },
  {
    name: 'erasing a site erases everything of it and nothing else',
    put: [
      ...['home', 'office'].flatMap((id) => [
        (l: Ledger) => l.putSites([site(id)]),
        (l: Ledger) => l.putDevices([device('d', { site: id, room: 'hall' })]),
        (l: Ledger) => l.putForecasts([forecast({ target: { ...target, site: id } })]),
        (l: Ledger) => l.putPredictions([prediction({ target: { ...target, site: id } })]),
        (l: Ledger) => l.putAlerts([alert({ target: { ...alertTarget, site: id } })]),
      ]),
      (l) => l.removeSite('home'),
      (l) => l.removeSite('never seen'),
    ],
    read: async (l) => [
      await l.sites(),
      await l.rooms(),
      await l.devices(),
      await l.forecasts(),
      await l.alerts({}, 9),
      await l.predictions(power, 0, 1e15, 9),
      await l.predictions({ ...power, target: office }, 0, 1e15, 9),
    ],
    gives: [
      [site('office')],
      [{ site: 'office', id: 'hall' }],
      [device('d', { site: 'office', room: 'hall' })],
      [forecast({ target: office })],
      [alert({ target: { ...alertTarget, site: 'office' } })],
      [],
      [prediction({ target: office })],
    ],
  },
  {
    name: 'maintain keeps the newest quarantined rows and the predictions made since',
    put: [
      (l) => l.putQuarantined([1, 2, 3, 4].map((at) => quarantined(at))),
      (l) => l.putPredictions([899, 900, 901].map((madeAt) => prediction({ madeAt }))),
      (l) => l.maintain(keep({ quarantined: 3, keepFrom: 900, forecastsFrom: 900 })),
      (l) => l.maintain(keep({ quarantined: 3, keepFrom: 900, forecastsFrom: 900 })),
    ],
    read: async (l) => [
      (await l.quarantined(10)).map(({ row }) => row.at),
      (await l.predictions(power, 0, 1e15, 9)).map(({ madeAt }) => madeAt),
    ],
    gives: [
      [4, 3, 2],
      [900, 901],
    ],
  },
  {
    name: 'predictions come in pages, each after the last of the page before',
    put: [
      (l) =>
        l.putPredictions(
          [10, 20].flatMap((at) =>
            [1, 2].flatMap((madeAt) =>
              ['a', 'b'].map((name) => prediction({ at, madeAt, model: { ...prediction().model, name } })),
            ),
          ),
        ),
    ],
    read: async (l) => {
      const pages: string[][] = []
      for (let after: PointPrediction | undefined; ; ) {
        const page = await l.predictions(power, 0, 1e15, 3, after)
        pages.push(page.map(({ at, madeAt, model }) => `${at} ${madeAt} ${model.name}`))
        after = page.at(-1)
        if (page.length < 3) return pages
      }
    },
    gives: [
      ['10 1 a', '10 1 b', '10 2 a'],
      ['10 2 b', '20 1 a', '20 1 b'],
      ['20 2 a', '20 2 b'],
    ],
  },
  {
    name: 'maintain keeps the alerts that ended last and all open ones, and the newest model events',
    put: [
      (l) =>
        l.putAlerts([
          alert({ since: 1 }),
          alert({ since: 2, until: 90 }),
          ...Array.from({ length: 450 }, (_, index) => alert({ since: 3 + index, until: 10 + (index % 50) })),
          alert({ since: 500, until: 80 }),
        ]),
      (l) =>
        l.models.put(
          [],
          Array.from({ length: 450 }, (_, at) => modelEvent(at)),
        ),
      (l) => l.maintain(keep({ closedAlerts: 2, modelEvents: 3 })),
    ],
    read: async (l) => [
      (await l.alerts({}, 999)).map(({ since }) => since),
      (await l.models.events({}, 999)).map(({ at }) => at),
    ],
    gives: [
      [500, 2, 1],
      [449, 448, 447],
    ],
  },
  {
    name: 'maintain can empty the quarantine',
    put: [(l) => l.putQuarantined([quarantined(1)]), (l) => l.maintain(keep({ quarantined: 0 }))],
    read: (l) => l.quarantined(10),
    gives: [],
  },
  {
    name: 'a batch larger than one statement is kept whole',
    put: [(l) => l.putDevices(Array.from({ length: 4096 }, (_, i) => device(String(i).padStart(4, '0'))))],
    read: async (l) => (await l.devices()).map(({ id }) => Number(id)),
    gives: Array.from({ length: 4096 }, (_, i) => i),
  },
]

/** Every ledger runs this beside its own tests. */
export function testLedger(name: string, { create }: LedgerSuiteOptions): void {
  describe(`the ledger ${name}`, () => {
    let fixture: LedgerFixture
    let ledger: Ledger

    beforeEach(async () => {
      fixture = await create({ quarantineLimit: 100 })
      ledger = fixture.ledger
      await ledger.open()
    })
    afterEach(async () => {
      await ledger.close()
      await fixture.dispose?.()
    })

    describe.each([...laws, ...lifeLaws, ...incidentLaws, ...recordLaws, ...peopleLaws, ...deviceLaws])(
      '$name',
      ({ put, read, gives }) => {
        it('at once', async () => {
          for (const step of put) await step(ledger)
          expect(await read(ledger)).toStrictEqual(gives)
        })
        it('after closing and opening', async (context) => {
          if (!fixture.reopen) return context.skip('its content does not outlive it')
          for (const step of put) await step(ledger)
          await ledger.close()
          ledger = fixture.reopen()
          await ledger.open()
          expect(await read(ledger)).toStrictEqual(gives)
        })
      },
    )

    testQuarantine(() => ledger)
    testCalls(() => ledger)
    testRecordCalls(() => ledger)
    testPeopleCalls(() => ledger)
    testDeviceChanges(() => ledger)
  })
}

function testQuarantine(ledger: () => Ledger): void {
  it('pages through the quarantine, newest first, without a gap or a repeat', async () => {
    await ledger().putQuarantined(Array.from({ length: 25 }, (_, at) => quarantined(at)))
    const seen: number[] = []
    for (let before: number | undefined; ; ) {
      const page = await ledger().quarantined(10, before)
      seen.push(...page.map(({ row }) => row.at))
      before = page.at(-1)?.id
      if (before === undefined) break
    }
    expect(seen).toStrictEqual(Array.from({ length: 25 }, (_, index) => 24 - index))
  })

  it('keeps where quarantined rows came from, as far as it is known', async () => {
    const rows = [
      quarantined(1, { topic: 'a/b', device: 'b', metric: 'power' }),
      quarantined(2, { topic: 'a\0b' }),
      quarantined(3),
    ]
    await ledger().putQuarantined(rows)
    expect((await ledger().quarantined(9)).map(({ row }) => row).reverse()).toStrictEqual([
      rows[0],
      quarantined(2, { topic: 'a\ufffdb' }),
      rows[2],
    ])
  })

  it('removes quarantined rows by their ids, or all of them', async () => {
    await ledger().putQuarantined(Array.from({ length: 95 }, (_, at) => quarantined(at)))
    const ids = (await ledger().quarantined(1000)).map(({ id }) => id)
    const unknown = Array.from({ length: 200 }, (_, index) => -index)
    expect(await ledger().removeQuarantined([...ids.slice(5), ...unknown])).toBe(90)
    expect((await ledger().quarantined(1000)).map(({ id }) => id)).toStrictEqual(ids.slice(0, 5))
    expect(await ledger().removeQuarantined([])).toBe(0)
    expect(await ledger().removeQuarantined('all')).toBe(5)
    expect(await ledger().quarantined(1000)).toStrictEqual([])
  })

  it('bounds the quarantine by itself under a flood, and keeps the newest', async () => {
    for (let start = 0; start < 5000; start += 70) {
      await ledger().putQuarantined(Array.from({ length: 70 }, (_, index) => quarantined(start + index)))
      expect((await ledger().quarantined(10_000)).length).toBeLessThanOrEqual(200)
    }
    const kept = (await ledger().quarantined(10_000)).map(({ row }) => row.at)
    expect(kept[0]).toBe(5039)
    expect(kept.length).toBeGreaterThanOrEqual(100)
  })
}

function testCalls(ledger: () => Ledger): void {
  it('tells whether there was a key to remove', async () => {
    await ledger().putKey(key('a'))
    expect([
      await ledger().removeKey('a'),
      await ledger().removeKey('a'),
      await ledger().keys(),
    ]).toStrictEqual([true, false, []])
  })

  it('tells whether there was something to remove, and how much', async () => {
    const { schedule, notes, incidents } = ledger()
    await incidents.putWindow(maintenanceWindow('a'))
    await schedule.putTriggers([trigger('a')])
    await schedule.putFunctions([eventFunction('a')])
    await notes.putForgotten([forgotten('a')])
    await notes.putInfos([info('a', { at: 5 }), info('b', { at: 5 }), info('c', { at: 6 })])
    const remove = async () => [
      await schedule.removeTrigger('a'),
      await schedule.removeFunction('a'),
      await notes.removeForgotten('a'),
      await notes.removeInfos(5),
      await incidents.removeWindow('a'),
    ]
    expect([await remove(), await remove()]).toStrictEqual([
      [true, true, true, 2, true],
      [false, false, false, 0, false],
    ])
  })

  it('adds scores of overlapping calls up without losing one', async () => {
    const { watch } = ledger()
    await Promise.all(Array.from({ length: 20 }, () => watch.score([reportDay(1)], [])))
    const days = await watch.days(power, 0, 2)
    expect(days.map(({ leads }) => leads.map(({ count }) => count))).toStrictEqual([[20, 40]])
  })

  it('takes overlapping calls, and the one called last wins', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `name ${index}`)
    await Promise.all(
      names.flatMap((name) => [
        ledger().putSites([site('home', { name })]),
        ledger().sites(),
        ledger().putQuarantined([quarantined(1, { source: name })]),
      ]),
    )
    expect(await ledger().sites()).toStrictEqual([site('home', { name: 'name 49' })])
    expect((await ledger().quarantined(100)).map(({ row }) => row.source)).toStrictEqual(names.reverse())
  })

  it('keeps what was put, whatever becomes of the object afterwards', async () => {
    const attributes: Record<string, number> = { watts: 1 }
    await ledger().putDevices([device('d', { attributes })])
    attributes['watts'] = 2
    expect((await ledger().devices())[0]?.attributes).toStrictEqual({ watts: 1 })
    const alerts = [...incident('a').alerts]
    await ledger().incidents.put([incident('a', { alerts })])
    alerts.pop()
    expect(await ledger().incidents.get('a')).toStrictEqual(incident('a'))
  })
}
