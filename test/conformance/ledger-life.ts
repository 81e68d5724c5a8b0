import type { LeadSums } from '../../src/core/life.ts'
import type { Ledger } from '../../src/core/ports.ts'
import type { Law } from './ledger.ts'
import {
  drift,
  entry,
  eventFunction,
  forgotten,
  info,
  job,
  lead,
  logged,
  modelEvent,
  queued,
  reportDay,
  trigger,
  unkeepable,
} from './ledger-life-samples.ts'
import { card, forecast, series } from './ledger-samples.ts'

const ever = [-1e15, 1e15] as const
const elsewhere = { ...series, site: 'office' }
const other = { ...series, metric: 'energy' }
/** An id that wants to be more than a name. */
const hostile = `it's "a" \\ %_ '); drop table models; -- ${'Ἑστία 🏠 '.repeat(100)}`
const strange = { site: hostile, device: `${hostile}d`, metric: `${hostile}m` }
const model = (version: string) => ({ name: 'boosting', version, kind: 'learned' }) as const

/** Puts something of every table under a site. */
const everythingOf = (site: string): Law['put'] => {
  const of = { ...series, site }
  return [
    (l) =>
      l.models.put(
        [entry('v1', { card: card({ series: of, model: model('v1') }) })],
        [modelEvent(1, { series: of })],
      ),
    (l) => l.jobs.put([job(`j of ${site}`, { series: of })]),
    (l) => l.watch.log([logged(1, 'v1', { forecast: forecast({ ...of, origin: 1 }) })]),
    (l) => l.watch.score([reportDay(1, { series: of })], [{ series: of, to: 5 }]),
    (l) => l.watch.putDrifts([drift('v1', { series: of })]),
    (l) => l.notes.putInfos([info(`i of ${site}`, { site })]),
    (l) => l.notes.putForgotten([forgotten(`f of ${site}`, { series: of })]),
  ]
}

/** Reads all of a site, in the order of `everythingOf`. */
async function everything(l: Ledger, site: string): Promise<unknown[]> {
  const of = { ...series, site }
  return [
    await l.models.all(site),
    await l.models.events({ site }, 9),
    await l.jobs.all({ site }),
    await l.watch.logged(of, ...ever),
    await l.watch.days(of, ...ever),
    await l.watch.scoredTo(of),
    await l.watch.drifts(of),
    await l.notes.infos({ site }, 9),
    await l.notes.forgotten(site),
  ]
}

const fails = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => Promise.reject(new Error('It kept what cannot be kept.')),
    () => undefined,
  )

const modelLaws: readonly Law[] = [
  {
    name: 'models come newest first, then by series and version, of one site or series where it is named',
    put: [
      (l) =>
        l.models.put(
          [
            entry('b', { card: card({ trainedAt: 1, model: model('b') }) }),
            entry('a', { card: card({ trainedAt: 1, model: model('a') }) }),
            entry('a', { card: card({ trainedAt: 1, model: model('a'), series: other }) }),
            entry('c', { card: card({ trainedAt: 3, model: model('c') }) }),
            entry('a', { card: card({ trainedAt: 2, model: model('a'), series: elsewhere }) }),
          ],
          [],
        ),
    ],
    read: async (l) =>
      [
        await l.models.all(),
        await l.models.all('office'),
        await l.models.all('nowhere'),
        await l.models.of(series),
        await l.models.of({ ...series, device: 'never seen' }),
      ].map((entries) =>
        entries.map(({ card: { series, model } }) => `${series.site} ${series.metric} ${model.version}`),
      ),
    gives: [
      ['home power c', 'office power a', 'home energy a', 'home power a', 'home power b'],
      ['office power a'],
      [],
      ['home power c', 'home power a', 'home power b'],
      [],
    ],
  },
  {
    name: 'a model put again stands elsewhere, also within one batch; the others stay',
    put: [
      (l) => l.models.put([entry('v1'), entry('v2')], []),
      (l) =>
        l.models.put(
          [
            entry('v1', { standing: 'rejected' }),
            entry('v1', { standing: 'retired', reason: 'A better one came.', since: 300 }),
          ],
          [],
        ),
    ],
    read: (l) => l.models.all(),
    gives: [entry('v1', { standing: 'retired', reason: 'A better one came.', since: 300 }), entry('v2')],
  },
  {
    name: 'a model may be refused for bytes that are no text, and they do not cost its reason',
    put: [
      (l) =>
        l.models.put([entry('v1', { standing: 'refused', reason: 'Unexpected "\0\ud800" in JSON' })], []),
    ],
    read: async (l) => (await l.models.all()).map(({ standing, reason }) => [standing, reason]),
    gives: [['refused', 'Unexpected "\ufffd\ufffd" in JSON']],
  },
  {
    name: 'removed versions are gone, the others and the events of all stay',
    put: [
      (l) => l.models.put([entry('v1'), entry('v2'), entry('v3')], [modelEvent(1)]),
      (l) =>
        l.models.remove([
          { series, version: 'v1' },
          { series, version: 'never' },
          { series: other, version: 'v2' },
        ]),
      (l) => l.models.remove([]),
    ],
    read: async (l) => [await l.models.all(), await l.models.events({}, 9)],
    gives: [[entry('v2'), entry('v3')], [modelEvent(1)]],
  },
  {
    name: 'events add up, and come newest first: the last told of one time first, of a site or series, limited',
    put: [
      (l) => l.models.put([], [modelEvent(1), modelEvent(3), modelEvent(3, { by: 'guard' })]),
      (l) => l.models.put([], [modelEvent(2, { series: elsewhere }), modelEvent(1)]),
      (l) => l.models.put([], [modelEvent(4, { series: other })]),
    ],
    read: async (l) =>
      [
        await l.models.events({}, 4),
        await l.models.events({ site: 'office' }, 9),
        await l.models.events({ series }, 9),
        await l.models.events({ site: 'office', series }, 9),
      ].map((events) => events.map(({ at, by }) => `${at} ${by}`)),
    gives: [
      ['4 gate', '3 guard', '3 gate', '2 gate'],
      ['2 gate'],
      ['3 guard', '3 gate', '1 gate', '1 gate'],
      [],
    ],
  },
  {
    name: 'an event is kept whole',
    put: [(l) => l.models.put([], [modelEvent(1, { reason: '\0 \ud800 €', by: hostile, series: strange })])],
    read: (l) => l.models.events({ series: { ...strange } }, 1),
    gives: [modelEvent(1, { reason: '\0 \ud800 €', by: hostile, series: strange })],
  },
  {
    name: 'of entries and events that cannot all be kept, none is',
    put: [
      (l) => l.models.put([entry('v1')], [modelEvent(1)]),
      (l) =>
        fails(
          l.models.put(
            [entry('v1', { standing: 'retired' }), entry('v2')],
            [modelEvent(2), unkeepable(modelEvent(3), 'version')],
          ),
        ),
    ],
    read: async (l) => [await l.models.all(), await l.models.events({}, 9)],
    gives: [[entry('v1')], [modelEvent(1)]],
  },
]

const jobLaws: readonly Law[] = [
  {
    name: 'a job is kept whole, found by its id, and replaced by what became of it',
    put: [
      (l) => l.jobs.put([job('a'), job('b', { force: true, by: hostile, detail: 'It is queued.' })]),
      (l) => l.jobs.put([job('a', { status: 'running', progress: 1 / 3, startedAt: 110 })]),
      (l) => l.jobs.put([job('a', { status: 'done', progress: 1, startedAt: 110, endedAt: 120 })]),
    ],
    read: async (l) => [await l.jobs.get('a'), await l.jobs.get('b'), await l.jobs.get('c')],
    gives: [
      job('a', { status: 'done', progress: 1, startedAt: 110, endedAt: 120 }),
      job('b', { force: true, by: hostile, detail: 'It is queued.' }),
      undefined,
    ],
  },
  {
    name: 'jobs come newest first, then by id, of a site and of the states asked for, limited',
    put: [
      (l) =>
        l.jobs.put([
          job('old', { createdAt: 1, status: 'failed' }),
          job('b', { status: 'running' }),
          job('a'),
          job('there', { createdAt: 300, series: elsewhere }),
          job('new', { createdAt: 200, status: 'done' }),
        ]),
    ],
    read: async (l) =>
      [
        await l.jobs.all(),
        await l.jobs.all({}, 2),
        await l.jobs.all({ site: 'home' }, 3),
        await l.jobs.all({ status: ['queued', 'running'] }),
        await l.jobs.all({ site: 'home', status: ['queued', 'failed'] }),
        await l.jobs.all({ status: [] }),
      ].map((jobs) => jobs.map(({ id }) => id)),
    gives: [
      ['there', 'new', 'a', 'b', 'old'],
      ['there', 'new'],
      ['new', 'a', 'b'],
      ['there', 'a', 'b'],
      ['a', 'old'],
      [],
    ],
  },
]

const watchLaws: readonly Law[] = [
  {
    name: 'a logged forecast is kept to the last bit, and said again it is replaced',
    put: [
      (l) => l.watch.log([logged(5, 'v1'), logged(6, 'v1', { spoken: false })]),
      (l) => l.watch.log([logged(5, 'v1', { spoken: false }), logged(5, 'v1')]),
    ],
    read: (l) => l.watch.logged(series, ...ever),
    gives: [logged(5, 'v1'), logged(6, 'v1', { spoken: false })],
  },
  {
    name: 'logged forecasts of a series come by origin, then version, from inclusive to exclusive',
    put: [
      (l) => l.watch.log([logged(9, 'a'), logged(5, 'b'), logged(5, 'B'), logged(10, 'a'), logged(4, 'a')]),
      (l) => l.watch.log([logged(5, 'c', { forecast: forecast({ ...other, origin: 5 }) })]),
    ],
    read: async (l) =>
      (await l.watch.logged(series, 5, 10)).map(({ forecast: { origin, model } }) => [origin, model.version]),
    gives: [
      [5, 'B'],
      [5, 'b'],
      [9, 'a'],
    ],
  },
  {
    name: 'scores of the same (series, version, day) add up in every field, also within one call',
    put: [
      (l) => l.watch.score([reportDay(1), reportDay(1)], []),
      (l) => l.watch.score([reportDay(2), reportDay(1), reportDay(1, { version: 'v2' })], []),
      (l) => l.watch.score([reportDay(1, { series: other }), reportDay(1, { series: elsewhere })], []),
    ],
    read: (l) => l.watch.days(series, ...ever),
    gives: [
      reportDay(1, {
        leads: [lead(1), lead(2)].map((once) => thrice(once)),
        residualBins: [3, 0, 0, 0, 0, 0, 0, 0, 0, 6],
      }),
      reportDay(1, { version: 'v2' }),
      reportDay(2),
    ],
  },
  {
    name: 'lead times and bins that only one side has count as they are, whichever comes first',
    put: [
      (l) =>
        l.watch.score(
          [
            reportDay(1, { leads: [lead(1)], residualBins: [] }),
            reportDay(2, { leads: [lead(1), lead(2), lead(4)], residualBins: [1, 2] }),
            reportDay(3, { leads: [], residualBins: [1] }),
          ],
          [],
        ),
      (l) =>
        l.watch.score(
          [
            reportDay(1, { leads: [lead(1), lead(4)], residualBins: [5] }),
            reportDay(2, { leads: [lead(2)], residualBins: [1] }),
            reportDay(3, { leads: [], residualBins: [] }),
          ],
          [],
        ),
    ],
    read: async (l) =>
      (await l.watch.days(series, ...ever)).map(({ leads, residualBins }) => [
        leads.map(({ count, inside }) => [count, inside]),
        residualBins,
      ]),
    gives: [
      [
        [
          [2, 26],
          [4, 52],
        ],
        [5],
      ],
      [
        [
          [3, 39],
          [2, 26],
          [4, 52],
        ],
        [2, 2],
      ],
      [[], [1]],
    ],
  },
  {
    name: 'report days come by day, then version, from inclusive to exclusive',
    put: [
      (l) =>
        l.watch.score([4, 9, 5, 10].map((day) => reportDay(day)).concat(reportDay(5, { version: 'b' })), []),
    ],
    read: async (l) => (await l.watch.days(series, 5, 10)).map(({ day, version }) => [day, version]),
    gives: [
      [5, 'b'],
      [5, 'v1'],
      [9, 'v1'],
    ],
  },
  {
    name: 'how far a series is scored is remembered, series by series',
    put: [
      (l) =>
        l.watch.score(
          [],
          [
            { series, to: 5 },
            { series: other, to: 7 },
          ],
        ),
      (l) =>
        l.watch.score(
          [],
          [
            { series, to: 8 },
            { series, to: 9 },
          ],
        ),
    ],
    read: async (l) => [
      await l.watch.scoredTo(series),
      await l.watch.scoredTo(other),
      await l.watch.scoredTo(elsewhere),
    ],
    gives: [9, 7, undefined],
  },
  {
    name: 'sums are not kept without how far they reach',
    put: [
      (l) => l.watch.score([reportDay(1)], [{ series, to: 5 }]),
      (l) => fails(l.watch.score([reportDay(1), reportDay(2)], [unkeepable({ series, to: 6 }, 'to')])),
    ],
    read: async (l) => [await l.watch.days(series, ...ever), await l.watch.scoredTo(series)],
    gives: [[reportDay(1)], 5],
  },
  {
    name: 'scores of more days than one statement takes add up each to its own',
    put: [
      (l) =>
        l.watch.score(
          Array.from({ length: 1200 }, (_, day) => tiny(day)),
          [],
        ),
      (l) =>
        l.watch.score(
          Array.from({ length: 1300 }, (_, day) => tiny(day)),
          [],
        ),
    ],
    read: async (l) => (await l.watch.days(series, ...ever)).map(({ residualBins }) => residualBins[0]),
    gives: Array.from({ length: 1300 }, (_, day) => (day < 1200 ? 2 * day : day)),
  },
  {
    name: 'of the drifts of a version the newest is kept, by version',
    put: [
      (l) => l.watch.putDrifts([drift('b'), drift('a'), drift('a', { series: other })]),
      (l) => l.watch.putDrifts([drift('b', { at: 200, psi: {} })]),
    ],
    read: async (l) => [await l.watch.drifts(series), await l.watch.drifts(elsewhere)],
    gives: [[drift('a'), drift('b', { at: 200, psi: {} })], []],
  },
]

const scheduleLaws: readonly Law[] = [
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
    name: 'queues come by function, the oldest event first, equal times as they came; each put replaces its own',
    put: [
      (l) => l.schedule.putQueue('g', [queued('g', 1), queued('g', 2), queued('g', 3)]),
      (l) => l.schedule.putQueue('f', [queued('f', 9, { data: '' })]),
      (l) => l.schedule.putQueue('emptied', [queued('emptied', 1)]),
      (l) =>
        l.schedule.putQueue('g', [
          queued('g', 7, { event: 'z' }),
          queued('g', 7, { event: 'a' }),
          queued('g', 5),
        ]),
      (l) => l.schedule.putQueue('emptied', []),
    ],
    read: (l) => l.schedule.queues(),
    gives: [
      queued('f', 9, { data: '' }),
      queued('g', 5),
      queued('g', 7, { event: 'z' }),
      queued('g', 7, { event: 'a' }),
    ],
  },
  {
    name: 'a queue that cannot be kept whole leaves the one before',
    put: [
      (l) => l.schedule.putQueue('f', [queued('f', 1)]),
      (l) => fails(l.schedule.putQueue('f', [queued('f', 2), unkeepable(queued('f', 3), 'data')])),
    ],
    read: (l) => l.schedule.queues(),
    gives: [queued('f', 1)],
  },
  {
    name: 'a function takes its queue with it, and no other',
    put: [
      (l) => l.schedule.putFunctions([eventFunction('f'), eventFunction('g')]),
      (l) => l.schedule.putQueue('f', [queued('f', 1)]),
      (l) => l.schedule.putQueue('g', [queued('g', 1)]),
      (l) => l.schedule.removeFunction('f'),
    ],
    read: async (l) => [await l.schedule.functions(), await l.schedule.queues()],
    gives: [[eventFunction('g')], [queued('g', 1)]],
  },
]

const noteLaws: readonly Law[] = [
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
          forgotten('z', { series: other }),
          forgotten('x', { series: elsewhere }),
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
      [forgotten('x', { series: elsewhere })],
      forgotten('b', { from: 6, reason: hostile }),
    ],
  },
]

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
      (l) => l.schedule.putQueue('f', []),
      (l) => l.notes.putInfos([]),
      (l) => l.notes.putForgotten([]),
    ],
    read: async (l) => [
      await everything(l, 'home'),
      await l.schedule.triggers(),
      await l.schedule.functions(),
      await l.schedule.queues(),
    ],
    gives: [[[], [], [], [], [], undefined, [], [], []], [], [], []],
  },
  {
    name: 'ids of any text keep to themselves',
    put: [
      ...everythingOf('home'),
      ...everythingOf(hostile),
      (l) => l.models.remove([{ series: strange, version: hostile }]),
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
      (l) => l.watch.log([logged(899, 'a'), logged(900, 'a')]),
      (l) => l.watch.score([reportDay(899), reportDay(900)], [{ series, to: 1 }]),
      (l) => l.watch.putDrifts([drift('old', { at: 899 }), drift('new', { at: 900 })]),
      (l) => l.notes.putInfos([info('old', { at: 899 }), info('new', { at: 900 })]),
      (l) => l.notes.putForgotten([forgotten('old', { at: 1 })]),
      (l) => l.jobs.put([job('old', { endedAt: 899 }), job('new', { endedAt: 900 }), job('open')]),
      (l) => l.models.put([entry('v1')], [modelEvent(1)]),
      (l) => l.schedule.putQueue('f', [queued('f', 1)]),
      (l) => l.maintain({ quarantined: 9, keepFrom: 900 }),
    ],
    read: async (l) => [
      (await l.watch.logged(series, ...ever)).map(({ forecast }) => forecast.origin),
      (await l.watch.days(series, ...ever)).map(({ day }) => day),
      (await l.watch.drifts(series)).map(({ version }) => version),
      (await l.notes.infos({}, 9)).map(({ id }) => id),
      (await l.jobs.all()).map(({ id }) => id),
      [
        await l.watch.scoredTo(series),
        (await l.notes.forgotten()).length,
        (await l.schedule.queues()).length,
      ],
      [(await l.models.all()).length, (await l.models.events({}, 9)).length],
    ],
    gives: [[900], [900], ['new'], ['new'], ['new', 'open'], [1, 1, 1], [1, 1]],
  },
]

/** What `everything` must read of a site after `everythingOf`. */
function lifeOf(site: string): unknown[] {
  const of = { ...series, site }
  return [
    [entry('v1', { card: card({ series: of, model: model('v1') }) })],
    [modelEvent(1, { series: of })],
    [job(`j of ${site}`, { series: of })],
    [logged(1, 'v1', { forecast: forecast({ ...of, origin: 1 }) })],
    [reportDay(1, { series: of })],
    5,
    [drift('v1', { series: of })],
    [info(`i of ${site}`, { site })],
    [forgotten(`f of ${site}`, { series: of })],
  ]
}

/** Added up one by one, as floating point wants it. */
function thrice(once: LeadSums): LeadSums {
  const three = (value: number): number => value + value + value
  return {
    count: three(once.count),
    error: three(once.error),
    absolute: three(once.absolute),
    squared: three(once.squared),
    naiveAbsolute: three(once.naiveAbsolute),
    naiveSquared: three(once.naiveSquared),
    withInterval: three(once.withInterval),
    inside: three(once.inside),
  }
}

const tiny = (day: number) => reportDay(day, { leads: [], residualBins: [day] })

/** The laws of the sub-ports, for `testLedger`. */
export const lifeLaws: readonly Law[] = [
  ...modelLaws,
  ...jobLaws,
  ...watchLaws,
  ...scheduleLaws,
  ...noteLaws,
  ...commonLaws,
]
