import { describe, expect, it } from 'vitest'
import type { Journal, JournalEntry, JournalFrame, TurnEntry } from '../../src/core/journal.ts'
import type { Reading } from '../../src/core/reading.ts'
import { emptyFacts } from '../../src/core/turn.ts'
import * as samples from './ledger-samples.ts'
import { reading } from './reading-samples.ts'

/** A journal under examination. */
export interface JournalSubject {
  readonly name: string
  /** A new journal that holds nothing; not open yet. */
  create(): Promise<Journal>
  /** Another journal over what the last one wrote; absent where nothing outlives the journal. */
  reopen?(): Promise<Journal>
  /** Why its frames cannot be read: the tests that read are skipped with this reason. */
  readonly keepsNothing?: string
}

/** A turn with readings of this value. */
export const turn = (value: number, readings: readonly Reading[] = [reading({ value })]): TurnEntry => ({
  kind: 'turn',
  readings,
  facts: emptyFacts,
  commands: [],
})

export async function framesAfter(journal: Pick<Journal, 'read'>, after: number): Promise<JournalFrame[]> {
  const frames: JournalFrame[] = []
  for await (const frame of journal.read(after)) frames.push(frame)
  return frames
}

/** Values of the readings of frames, for turns of `turn`. */
export const valuesOf = (frames: readonly JournalFrame[]): number[] =>
  frames.flatMap(({ entry }) => (entry.kind === 'turn' ? entry.readings.map(({ value }) => value) : []))

/** Everything that a turn can hold. */
export const wholeTurn: TurnEntry = {
  kind: 'turn',
  readings: [
    reading({ value: 0.1 + 0.2, at: 1_704_067_200_123 }),
    reading({ value: -0, room: 'kitchen' }),
    reading({ device: 'küche/☃', metric: 'temperature', unit: 'degC', value: 5e-324, room: 'kitchen' }),
    reading({ device: '@energy:meter', metric: 'energy', unit: 'kWh', value: 1e300 }),
    // the same series once more, with another room and without one
    reading({ value: 3, room: 'hall' }),
    reading({ value: 4 }),
  ],
  facts: {
    sites: [samples.site('home')],
    devices: [samples.device('meter', { room: 'kitchen' })],
    quarantined: [samples.quarantined(5, { payload: '{"lone surrogate": "\\ud800"}' })],
    predictions: [samples.prediction()],
    alerts: [samples.alert()],
    incidents: [],
    states: [
      { target: samples.target, at: 5, state: '{"quarter":3}' },
      { target: { ...samples.target, subject: 'gone' }, at: 6, state: undefined },
    ],
    dirty: [{ target: samples.target, spans: [{ from: 1, to: 2 }] }],
  },
  commands: [],
}

/** The laws of the Journal port; every journal runs them. */
export function examineJournal(subject: JournalSubject): void {
  const test = (name: string, body: (journal: Journal) => Promise<void>): void => {
    const reason = subject.keepsNothing
    it.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, async () => {
      const journal = await subject.create()
      await journal.open(0)
      try {
        await body(journal)
      } finally {
        await journal.close()
      }
    })
  }

  describe(`${subject.name} as a Journal`, () => {
    test('gives back everything of a turn', async (journal) => {
      await journal.append(wholeTurn, 1000)
      const [frame] = await framesAfter(journal, 0)
      expect(frame).toMatchObject({ position: 1, at: 1000 })
      expect(frame?.entry).toEqual(wholeTurn)
    })

    test('gives back the removal of a site', async (journal) => {
      const removal: JournalEntry = { kind: 'site-removed', site: 'summer house' }
      await journal.append(removal, 1)
      expect((await framesAfter(journal, 0)).map(({ entry }) => entry)).toEqual([removal])
    })

    test('gives back what was done to a device', async (journal) => {
      const device = { site: 'home', id: 'a/b', type: 'meter', attributes: {}, fixed: ['type'] as const }
      const change: JournalEntry = { kind: 'device-changed', change: { kind: 'edited', device } }
      await journal.append(change, 1)
      expect((await framesAfter(journal, 0)).map(({ entry }) => entry)).toEqual([change])
    })

    test('keeps the order of overlapping calls', async (journal) => {
      const written = await Promise.all(
        Array.from({ length: 300 }, (_, value) => journal.append(turn(value), value)),
      )
      expect(written.map((one) => one?.position)).toEqual(
        Array.from({ length: 300 }, (_, index) => index + 1),
      )
      const frames = await framesAfter(journal, 0)
      expect(frames.map(({ at }) => at)).toEqual(Array.from({ length: 300 }, (_, index) => index))
      expect(valuesOf(frames)).toEqual(Array.from({ length: 300 }, (_, index) => index))
    })

    test('reads what comes after a position', async (journal) => {
      for (const value of [1, 2, 3]) await journal.append(turn(value), value)
      expect(valuesOf(await framesAfter(journal, 2))).toEqual([3])
      expect(await framesAfter(journal, 3)).toEqual([])
      expect(await framesAfter(journal, 99)).toEqual([])
    })

    test('does not keep an entry that its caller changes later', async (journal) => {
      const readings = [reading({ value: 1 })]
      const appended = journal.append(turn(1, readings), 1)
      readings[0] = reading({ value: 2 })
      await appended
      expect(valuesOf(await framesAfter(journal, 0))).toEqual([1])
    })

    test('takes a turn of many readings between small ones', async (journal) => {
      const many = Array.from({ length: 50_000 }, (_, index) =>
        reading({ device: `d${index % 1000}`, at: index, value: index }),
      )
      await journal.append(turn(-1), 1)
      await journal.append(turn(0, many), 2)
      await journal.append(turn(-2), 3)
      const frames = await framesAfter(journal, 0)
      expect(frames.map(({ entry }) => (entry.kind === 'turn' ? entry.readings.length : 0))).toEqual([
        1, 50_000, 1,
      ])
      expect(frames[1]?.entry).toEqual(turn(0, many))
    })

    test('keeps what is not released', async (journal) => {
      for (let value = 1; value <= 20; value++) await journal.append(turn(value), value)
      await journal.release(12, Number.POSITIVE_INFINITY)
      expect(valuesOf(await framesAfter(journal, 12))).toEqual([13, 14, 15, 16, 17, 18, 19, 20])
    })

    test('keeps what is released and younger than it is to be kept', async (journal) => {
      for (let value = 1; value <= 20; value++) await journal.append(turn(value), value)
      await journal.release(20, 10)
      const left = valuesOf(await framesAfter(journal, 0))
      expect(left.slice(-11)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    })

    examineReopening(subject)
  })
}

function examineReopening(subject: JournalSubject): void {
  const { reopen } = subject
  it.skipIf(!reopen)('holds everything when it is opened again, and goes on', async () => {
    const first = await subject.create()
    expect(await first.open(0)).toEqual({ first: 1, last: 0, cutBytes: 0 })
    for (const value of [1, 2, 3]) await first.append(turn(value), value)
    await first.close()
    const second = await reopen!()
    expect(await second.open(2)).toEqual({ first: 1, last: 3, cutBytes: 0 })
    expect((await second.append(turn(4), 4))?.position).toBe(4)
    await second.close()
    const third = await reopen!()
    expect(await third.open(4)).toEqual({ first: 1, last: 4, cutBytes: 0 })
    expect(valuesOf(await framesAfter(third, 1))).toEqual([2, 3, 4])
    await third.close()
  })

  it.skipIf(!reopen)('gives no position twice that a store knows', async () => {
    const first = await subject.create()
    await first.open(0)
    await first.append(turn(1), 1)
    await first.close()
    const second = await reopen!()
    // the stores are from another time
    expect(await second.open(70)).toEqual({ first: 1, last: 1, cutBytes: 0 })
    expect((await second.append(turn(2), 2))?.position).toBe(71)
    await second.close()
    const third = await reopen!()
    await third.open(70)
    expect((await framesAfter(third, 0)).map(({ position }) => position)).toEqual([1, 71])
    await third.close()
  })

  it.skipIf(!reopen)('begins after what the stores know where it is new', async () => {
    const journal = await subject.create()
    expect(await journal.open(41)).toEqual({ first: 42, last: 41, cutBytes: 0 })
    expect((await journal.append(turn(1), 1))?.position).toBe(42)
    await journal.close()
  })
}
