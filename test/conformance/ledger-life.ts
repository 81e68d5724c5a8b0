import type { Ledger } from '../../src/core/ports.ts'
import { hourMs } from '../../src/core/time.ts'
import type { Law } from './ledger.ts'
import {
  drift,
  entry,
  ever,
  forgotten,
  hostile,
  info,
  job,
  loggable,
  logged,
  model,
  modelEvent,
  otherMetric,
  queued,
  reportDay,
  strange,
} from './ledger-life-samples.ts'
import { jobLaws, modelLaws } from './ledger-model-laws.ts'
import { card, keep, power, series, target } from './ledger-samples.ts'
import { noteLaws, scheduleLaws } from './ledger-schedule-laws.ts'
import { watchLaws } from './ledger-watch-laws.ts'

/** Puts something of every table under a site. */
const everythingOf = (site: string): Law['put'] => {
  const own = { ...target, site }
  const of = { ...power, target: own }
  return [
    (l) =>
      l.models.put(
        [entry('v1', { card: card({ target: own, model: model('v1') }) })],
        [modelEvent(1, { target: own })],
      ),
    (l) => l.jobs.put([job(`j of ${site}`, { target: own })]),
    (l) => l.watch.log([logged(1, 'v1', { forecast: loggable({ ...of, origin: 1 }) })]),
    (l) => l.watch.score([reportDay(1, of)], [{ ...of, to: 5 }]),
    (l) => l.watch.putDrifts([drift('v1', { target: own })]),
    (l) => l.notes.putInfos([info(`i of ${site}`, { site })]),
    (l) => l.notes.putForgotten([forgotten(`f of ${site}`, { series: { ...series, site } })]),
  ]
}

/** Reads all of a site, in the order of `everythingOf`. */
async function everything(l: Ledger, site: string): Promise<unknown[]> {
  const own = { ...target, site }
  const of = { ...power, target: own }
  return [
    await l.models.all(site),
    await l.models.events({ site }, 9),
    await l.jobs.all({ site }),
    await l.watch.logged(of, ...ever),
    await l.watch.days(of, ...ever),
    await l.watch.scoredTo(of),
    await l.watch.drifts(own),
    await l.notes.infos({ site }, 9),
    await l.notes.forgotten(site),
  ]
}

const commonLaws: readonly Law[] = [
  {
    name: 'empty batches of a life change nothing',
    put: [
      (l) => l.models.put([], []),
      (l) => l.jobs.put([]),
      (l) => l.watch.log([]),
      (l) => l.watch.score([], []),
      (l) => l.watch.putDrifts([]),
      (l) => l.schedule.putTriggers([]),
      (l) => l.schedule.putFunctions([]),
      (l) => l.schedule.changeQueue([], []),
      (l) => l.notes.putInfos([]),
      (l) => l.notes.putForgotten([]),
    ],
    read: async (l) => [
      await everything(l, 'home'),
      await l.schedule.triggers(),
      await l.schedule.functions(),
      await l.schedule.queuedEvents(),
    ],
    gives: [[[], [], [], [], [], undefined, [], [], []], [], [], []],
  },
  {
    name: 'ids of any text keep to themselves',
    put: [
      ...everythingOf('home'),
      ...everythingOf(hostile),
      (l) => l.models.remove([{ target: strange, version: hostile }]),
    ],
    read: (l) => everything(l, hostile),
    gives: lifeOf(hostile),
  },
  {
    name: 'erasing a site erases its life and no other',
    put: [
      ...everythingOf('home'),
      ...everythingOf('office'),
      (l) => l.notes.putInfos([info('hub', { site: null })]),
      (l) => l.removeSite('office'),
    ],
    read: async (l) => [
      (await everything(l, 'home')).slice(0, 7),
      (await everything(l, 'office')).slice(0, 7),
      await l.notes.infos({}, 9),
      await l.notes.forgotten(),
    ],
    gives: [
      lifeOf('home').slice(0, 7),
      [[], [], [], [], [], undefined, []],
      [info('hub', { site: null }), info('i of home')],
      [forgotten('f of home')],
    ],
  },
  {
    name: 'maintain drops what is older than it is told to keep, and nothing that is still to be done',
    put: [
      (l) => l.watch.log([logged(949, 'a'), logged(950, 'a')]),
      (l) => l.watch.score([reportDay(899), reportDay(900)], [{ ...power, to: 1 }]),
      (l) => l.watch.putDrifts([drift('old', { at: 899 }), drift('new', { at: 900 })]),
      (l) => l.notes.putInfos([info('old', { at: 899 }), info('new', { at: 900 })]),
      (l) => l.notes.putForgotten([forgotten('old', { at: 1 })]),
      (l) => l.jobs.put([job('old', { endedAt: 899 }), job('new', { endedAt: 900 }), job('open')]),
      (l) => l.models.put([entry('v1')], [modelEvent(1)]),
      (l) => l.schedule.changeQueue([queued('f', 1)], []),
      (l) => l.maintain(keep({ keepFrom: 900, forecastsFrom: 950 })),
    ],
    read: async (l) => [
      (await l.watch.logged(power, ...ever)).map(({ forecast }) => forecast.origin),
      (await l.watch.days(power, ...ever)).map(({ day }) => day),
      (await l.watch.drifts(target)).map(({ version }) => version),
      (await l.notes.infos({}, 9)).map(({ id }) => id),
      (await l.jobs.all()).map(({ id }) => id),
      [
        await l.watch.scoredTo(power),
        (await l.notes.forgotten()).length,
        (await l.schedule.queuedEvents()).length,
      ],
      [(await l.models.all()).length, (await l.models.events({}, 9)).length],
    ],
    gives: [[950], [900], ['new'], ['new'], ['new', 'open'], [1, 1, 1], [1, 1]],
  },
  {
    name: 'maintain thins old origins to every sixth hour, but none that is not scored to its end',
    put: [
      // each ends an hour and a half after its origin
      (l) => l.watch.log([0, 1, 4, 6, 7, 8, 9].map((hours) => logged(hours * hourMs, 'a'))),
      (l) => l.watch.log([logged(1, 'b', { forecast: loggable({ ...otherMetric, origin: hourMs }) })]),
      (l) => l.watch.score([], [{ ...power, to: 9 * hourMs }]),
      (l) => l.maintain(keep({ thinBefore: 7.5 * hourMs })),
    ],
    read: async (l) => [
      (await l.watch.logged(power, ...ever)).map(({ forecast }) => forecast.origin / hourMs),
      (await l.watch.logged(otherMetric, ...ever)).length,
    ],
    gives: [[0, 6, 8, 9], 1],
  },
  {
    name: 'maintain keeps an old origin whose last step is not scored',
    put: [
      (l) => l.watch.log([1, 2].map((hours) => logged(hours * hourMs, 'a'))),
      (l) => l.watch.score([], [{ ...power, to: 3 * hourMs }]),
      (l) => l.maintain(keep({ thinBefore: 99 * hourMs })),
    ],
    read: async (l) => (await l.watch.logged(power, ...ever)).map(({ forecast }) => forecast.origin / hourMs),
    gives: [2],
  },
]

/** What `everything` must read of a site after `everythingOf`. */
function lifeOf(site: string): unknown[] {
  const own = { ...target, site }
  const of = { ...power, target: own }
  return [
    [entry('v1', { card: card({ target: own, model: model('v1') }) })],
    [modelEvent(1, { target: own })],
    [job(`j of ${site}`, { target: own })],
    [logged(1, 'v1', { forecast: loggable({ ...of, origin: 1 }) })],
    [reportDay(1, of)],
    5,
    [drift('v1', { target: own })],
    [info(`i of ${site}`, { site })],
    [forgotten(`f of ${site}`, { series: { ...series, site } })],
  ]
}

/** The laws of the sub-ports, for `testLedger`. */
export const lifeLaws: readonly Law[] = [
  ...modelLaws,
  ...jobLaws,
  ...watchLaws,
  ...scheduleLaws,
  ...noteLaws,
  ...commonLaws,
]
