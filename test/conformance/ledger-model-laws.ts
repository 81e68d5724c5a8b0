import type { Law } from './ledger.ts'
import {
  elsewhere,
  entry,
  fails,
  hostile,
  job,
  model,
  modelEvent,
  otherTarget,
  strange,
  unkeepable,
} from './ledger-life-samples.ts'
import { card, target } from './ledger-samples.ts'

export const modelLaws: readonly Law[] = [
  {
    name: 'models come newest first, then by target and version, of one site or target if named',
    put: [
      (l) =>
        l.models.put(
          [
            entry('b', { card: card({ trainedAt: 1, model: model('b') }) }),
            entry('a', { card: card({ trainedAt: 1, model: model('a') }) }),
            entry('a', { card: card({ trainedAt: 1, model: model('a'), target: otherTarget }) }),
            entry('c', { card: card({ trainedAt: 3, model: model('c') }) }),
            entry('a', { card: card({ trainedAt: 2, model: model('a'), target: elsewhere }) }),
          ],
          [],
        ),
    ],
    read: async (l) =>
      [
        await l.models.all(),
        await l.models.all('office'),
        await l.models.all('nowhere'),
        await l.models.of(target),
        await l.models.of({ ...target, subject: 'never seen' }),
      ].map((entries) =>
        entries.map(({ card: { target, model } }) => `${target.site} ${target.domain} ${model.version}`),
      ),
    gives: [
      ['home energy c', 'office energy a', 'home dispatch a', 'home energy a', 'home energy b'],
      ['office energy a'],
      [],
      ['home energy c', 'home energy a', 'home energy b'],
      [],
    ],
  },
  {
    name: 'a model put again has the new status, also within one batch; the others stay',
    put: [
      (l) => l.models.put([entry('v1'), entry('v2')], []),
      (l) =>
        l.models.put(
          [
            entry('v1', { status: 'rejected' }),
            entry('v1', { status: 'retired', reason: 'A better one came.', since: 300 }),
          ],
          [],
        ),
    ],
    read: (l) => l.models.all(),
    gives: [entry('v1', { status: 'retired', reason: 'A better one came.', since: 300 }), entry('v2')],
  },
  {
    name: 'a model may be refused for bytes that are no text, and they do not cost its reason',
    put: [
      (l) => l.models.put([entry('v1', { status: 'refused', reason: 'Unexpected "\0\ud800" in JSON' })], []),
    ],
    read: async (l) => (await l.models.all()).map(({ status, reason }) => [status, reason]),
    gives: [['refused', 'Unexpected "\ufffd\ufffd" in JSON']],
  },
  {
    name: 'removed versions are gone, the others and the events of all stay',
    put: [
      (l) => l.models.put([entry('v1'), entry('v2'), entry('v3')], [modelEvent(1)]),
      (l) =>
        l.models.remove([
          { target, version: 'v1' },
          { target, version: 'never' },
          { target: otherTarget, version: 'v2' },
        ]),
      (l) => l.models.remove([]),
    ],
    read: async (l) => [await l.models.all(), await l.models.events({}, 9)],
    gives: [[entry('v2'), entry('v3')], [modelEvent(1)]],
  },
  {
    name: 'events add up, and come newest first: the last told of one time first, of a site or target, limited',
    put: [
      (l) => l.models.put([], [modelEvent(1), modelEvent(3), modelEvent(3, { by: 'guard' })]),
      (l) => l.models.put([], [modelEvent(2, { target: elsewhere }), modelEvent(1)]),
      (l) => l.models.put([], [modelEvent(4, { target: otherTarget })]),
    ],
    read: async (l) =>
      [
        await l.models.events({}, 4),
        await l.models.events({ site: 'office' }, 9),
        await l.models.events({ target }, 9),
        await l.models.events({ site: 'office', target }, 9),
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
    put: [(l) => l.models.put([], [modelEvent(1, { reason: '\0 \ud800 €', by: hostile, target: strange })])],
    read: (l) => l.models.events({ target: { ...strange } }, 1),
    gives: [modelEvent(1, { reason: '\0 \ud800 €', by: hostile, target: strange })],
  },
  {
    name: 'of entries and events that cannot all be kept, none is',
    put: [
      (l) => l.models.put([entry('v1')], [modelEvent(1)]),
      (l) =>
        fails(
          l.models.put(
            [entry('v1', { status: 'retired' }), entry('v2')],
            [modelEvent(2), unkeepable(modelEvent(3), 'version')],
          ),
        ),
    ],
    read: async (l) => [await l.models.all(), await l.models.events({}, 9)],
    gives: [[entry('v1')], [modelEvent(1)]],
  },
]

export const jobLaws: readonly Law[] = [
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
          job('there', { createdAt: 300, target: elsewhere }),
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
