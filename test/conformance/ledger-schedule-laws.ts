import type { Law } from './ledger.ts'
import {
  eventFunction,
  fails,
  forgotten,
  hostile,
  info,
  queued,
  trigger,
  unkeepable,
} from './ledger-life-samples.ts'
import { series } from './ledger-samples.ts'

export const scheduleLaws: readonly Law[] = [
  {
    name: 'triggers come by name, are replaced, and go when removed',
    put: [
      (l) => l.schedule.putTriggers([trigger('b'), trigger(hostile), trigger('a'), trigger('gone')]),
      (l) => l.schedule.putTriggers([trigger('b', { enabled: false, lastAt: 5, nextAt: 6 })]),
      (l) => l.schedule.removeTrigger('gone'),
    ],
    read: (l) => l.schedule.triggers(),
    gives: [trigger('a'), trigger('b', { enabled: false, lastAt: 5, nextAt: 6 }), trigger(hostile)],
  },
  {
    name: 'event functions come by name, are replaced, and go when removed',
    put: [
      (l) => l.schedule.putFunctions([eventFunction('b'), eventFunction('a'), eventFunction('gone')]),
      (l) =>
        l.schedule.putFunctions([
          eventFunction('b', {
            action: { kind: 'call', url: 'http://hub/x?a=%27', method: 'POST' },
            lastInvokedAt: 5,
            lastError: 'no\0',
          }),
        ]),
      (l) => l.schedule.removeFunction('gone'),
    ],
    read: (l) => l.schedule.functions(),
    gives: [
      eventFunction('a'),
      eventFunction('b', {
        action: { kind: 'call', url: 'http://hub/x?a=%27', method: 'POST' },
        lastInvokedAt: 5,
        lastError: 'no\0',
      }),
    ],
  },
  {
    name: 'queued events come in the order of their ids, are added and removed one by one, and the same id replaces',
    put: [
      (l) => l.schedule.changeQueue([queued('g', 3), queued('g', 1), queued('f', 2)], []),
      (l) => l.schedule.changeQueue([queued('f', 9, { data: '' })], [1]),
      (l) => l.schedule.changeQueue([queued('g', 3, { at: 7, event: 'z' })], [99]),
      (l) => l.schedule.changeQueue([], [2]),
    ],
    read: (l) => l.schedule.queuedEvents(),
    gives: [queued('g', 3, { at: 7, event: 'z' }), queued('f', 9, { data: '' })],
  },
  {
    name: 'a change of the queue that cannot be kept whole changes nothing',
    put: [
      (l) => l.schedule.changeQueue([queued('f', 1)], []),
      (l) => fails(l.schedule.changeQueue([queued('f', 2), unkeepable(queued('f', 3), 'data')], [1])),
    ],
    read: (l) => l.schedule.queuedEvents(),
    gives: [queued('f', 1)],
  },
  {
    name: 'more queued events than a statement takes are removed at once',
    put: [
      (l) =>
        l.schedule.changeQueue(
          Array.from({ length: 350 }, (_, id) => queued('f', id + 1)),
          [],
        ),
      (l) =>
        l.schedule.changeQueue(
          [],
          Array.from({ length: 349 }, (_, id) => id + 1),
        ),
    ],
    read: (l) => l.schedule.queuedEvents(),
    gives: [queued('f', 350)],
  },
  {
    name: 'a function takes its queue with it, and no other',
    put: [
      (l) => l.schedule.putFunctions([eventFunction('f'), eventFunction('g')]),
      (l) => l.schedule.changeQueue([queued('f', 1), queued('g', 2)], []),
      (l) => l.schedule.removeFunction('f'),
    ],
    read: async (l) => [await l.schedule.functions(), await l.schedule.queuedEvents()],
    gives: [[eventFunction('g')], [queued('g', 2)]],
  },
]

export const noteLaws: readonly Law[] = [
  {
    name: 'infos come newest first, then by id, from a time on, limited; those of the hub with every site',
    put: [
      (l) =>
        l.notes.putInfos([
          info('old', { at: 1 }),
          info('b'),
          info('a'),
          info('hub', { at: 2000, site: null }),
          info('there', { at: 3000, site: 'office' }),
        ]),
      (l) => l.notes.putInfos([info('a', { summary: 'changed' })]),
    ],
    read: async (l) => [
      await l.notes.infos({}, 2),
      (await l.notes.infos({ site: 'home' }, 9)).map(({ id }) => id),
      (await l.notes.infos({ from: 1000 }, 9)).map(({ id }) => id),
      (await l.notes.infos({ site: 'home', from: 1001 }, 9)).map(({ id }) => id),
      await l.notes.infos({ site: 'home', from: 1000 }, 2),
    ],
    gives: [
      [info('there', { at: 3000, site: 'office' }), info('hub', { at: 2000, site: null })],
      ['hub', 'a', 'b', 'old'],
      ['there', 'hub', 'a', 'b'],
      ['hub'],
      [info('hub', { at: 2000, site: null }), info('a', { summary: 'changed' })],
    ],
  },
  {
    name: 'the infos of one moment can be removed',
    put: [
      (l) => l.notes.putInfos([info('a'), info('b', { at: 1001 }), info('c', { site: null })]),
      (l) => l.notes.removeInfos(1000),
    ],
    read: (l) => l.notes.infos({}, 9),
    gives: [info('b', { at: 1001 })],
  },
  {
    name: 'forgotten spans come by series, then start, of a site where it is named; the same id replaces',
    put: [
      (l) =>
        l.notes.putForgotten([
          forgotten('c', { from: 5 }),
          forgotten('b', { from: 2 }),
          forgotten('a', { from: 5 }),
          forgotten('z', { series: { ...series, metric: 'energy' } }),
          forgotten('x', { series: { ...series, site: 'office' } }),
          forgotten('gone'),
        ]),
      (l) => l.notes.putForgotten([forgotten('b', { from: 6, reason: hostile })]),
      (l) => l.notes.removeForgotten('gone'),
    ],
    read: async (l) => [
      (await l.notes.forgotten()).map(({ id }) => id),
      await l.notes.forgotten('office'),
      (await l.notes.forgotten('home')).at(-1),
    ],
    gives: [
      ['z', 'a', 'c', 'b', 'x'],
      [forgotten('x', { series: { ...series, site: 'office' } })],
      forgotten('b', { from: 6, reason: hostile }),
    ],
  },
]
