import { describe, expect, it } from 'vitest'
import { turn, wholeTurn } from '../../test/conformance/journal.ts'
import { reading } from '../../test/conformance/reading-samples.ts'
import type { Removal } from '../core/device.ts'
import type { JournalEntry, JournalFrame } from '../core/journal.ts'
import type { Reading } from '../core/reading.ts'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { createMemoryReadings } from '../stores/readings/memory.ts'
import { batchLength, batchWeight, Projection, projectFrames } from './projection.ts'

const framesOf = (entries: readonly JournalEntry[], first = 1): JournalFrame[] =>
  entries.map((entry, index) => ({ position: first + index, at: 1000 + index, entry }))

async function* streamOf(frames: readonly JournalFrame[]): AsyncGenerator<JournalFrame> {
  yield* frames
}

const rows = (count: number): Reading[] => Array.from({ length: count }, (_, at) => reading({ at }))

async function createStores() {
  const readings = createMemoryReadings()
  const ledger = createMemoryLedger()
  await readings.open()
  await ledger.open()
  const values = async (): Promise<number[]> =>
    (await readings.read({}, 100_000)).map(({ value }) => value).sort((a, b) => a - b)
  const positions = async () => [await readings.position(), await ledger.position()]
  return { readings, ledger, values, positions }
}

/** A frame of each value, whose reading has its own time. */
const valued = (values: readonly number[]): JournalEntry[] =>
  values.map((value) => turn(value, [reading({ value, at: value })]))

describe('a change of a device', () => {
  const series = [{ key: { site: 'home', device: 'meter', metric: 'power' }, unit: 'W' }]
  const removal: Removal = {
    ...{ id: 'r', kind: 'deleted', site: 'home', device: 'meter', at: 1, until: 2, by: 'a person' },
    ...{ series, targets: [], narrowed: [] },
  }
  const removed: JournalEntry = { kind: 'device-changed', change: { kind: 'removed', removal } }
  const restored: JournalEntry = { kind: 'device-changed', change: { kind: 'restored', removal } }

  it('comes alone, so that readings before and after it are kept apart', async () => {
    const frames = framesOf([...valued([1, 2]), removed, ...valued([3])])
    expect(batchLength(frames)).toBe(2)
    expect(batchLength(frames.slice(2))).toBe(1)
    const stores = await createStores()
    const projection = new Projection(stores)
    await projection.open()
    await projectFrames(projection, streamOf(frames))
    expect(await stores.values()).toEqual([3])
    expect((await stores.ledger.removals.list()).map(({ id }) => id)).toEqual(['r'])
  })

  it('gives a store that was lost the same content again', async () => {
    const frames = framesOf([...valued([1]), removed, ...valued([2]), restored, removed, ...valued([4])])
    const contents = []
    for (const from of [0, 1, 2, 3, 4, 5, 6]) {
      const stores = await createStores()
      const first = new Projection(stores)
      await first.open()
      await projectFrames(first, streamOf(frames.slice(0, from)))
      // the process ends here; the next one goes on where the stores say they are
      const second = new Projection(stores)
      const { readings } = await second.open()
      await projectFrames(second, streamOf(frames.filter(({ position }) => position > readings)))
      contents.push([await stores.values(), (await stores.ledger.removals.list()).length])
    }
    expect(new Set(contents.map((one) => JSON.stringify(one)))).toEqual(new Set(['[[4],1]']))
  })
})

describe('projectFrames', () => {
  it('brings everything of a turn into both stores, and tells how much', async () => {
    const { readings, ledger, positions } = await createStores()
    const projection = new Projection({ readings, ledger })
    await projection.open()
    const projected = await projectFrames(projection, streamOf(framesOf([turn(7), wholeTurn, turn(8)])))
    expect(projected).toEqual({ frames: 3, readings: 8, firstAt: 1000, lastAt: 1002, position: 3 })
    expect(await readings.series()).toHaveLength(3)
    expect(await ledger.alerts({}, 10)).toEqual(wholeTurn.facts.alerts)
    await projection.savePositions()
    expect(await positions()).toEqual([3, 3])
  })

  it('tells nothing of no frames', async () => {
    const projection = new Projection(await createStores())
    await projection.open()
    expect(await projectFrames(projection, streamOf([]))).toEqual({ frames: 0, readings: 0 })
  })

  it('leaves out in each store what it has already', async () => {
    const { readings, ledger, values } = await createStores()
    // one store is further than the other; of other values, so that a second time would show
    await readings.append([reading({ value: 2, at: 2 })], 2)
    const projection = new Projection({ readings, ledger })
    expect(await projection.open()).toEqual({ readings: 2, ledger: 0 })
    const [, second, third] = valued([1, 22, 3])
    await projectFrames(projection, streamOf(framesOf([wholeTurn, second!, third!])))
    expect(await values()).toEqual([2, 3])
    expect(await ledger.quarantined(10)).toHaveLength(1)
  })

  it('ends the same in batches of any length', async () => {
    const entries: JournalEntry[] = [
      ...valued([1, 2]),
      turn(3, rows(batchWeight + 5)),
      { kind: 'site-removed', site: 'home' },
      ...valued([4, 5]),
      { kind: 'site-removed', site: 'other' },
      turn(6, rows(batchWeight)),
      ...valued([7]),
    ]
    const batches: number[] = []
    const { readings, ledger, positions } = await createStores()
    const projection = new Projection({ readings, ledger })
    await projection.open()
    await projectFrames(projection, streamOf(framesOf(entries)), ({ frames }) => void batches.push(frames))
    expect(batches).toEqual([2, 3, 4, 6, 7, 8, 9])
    const single = await createStores()
    const alone = new Projection(single)
    await alone.open()
    for (const frame of framesOf(entries)) await alone.apply([frame])
    const everything = await single.readings.read({}, 100_000)
    expect(await readings.read({}, 100_000)).toEqual(everything)
    expect(everything).toHaveLength(batchWeight)
    await projection.savePositions()
    expect(await positions()).toEqual([9, 9])
  })

  it('rejects as a store does, and the same frames again are in both stores once', async () => {
    const { readings, ledger, values } = await createStores()
    let fails = true
    const failing: typeof readings.append = async (list, position) => {
      if (fails) throw new Error('disk full')
      await readings.append(list, position)
    }
    const projection = new Projection({ readings: { ...readings, append: failing }, ledger })
    await projection.open()
    const frames = framesOf([wholeTurn, ...valued([2])])
    await expect(projectFrames(projection, streamOf(frames))).rejects.toThrow('disk full')
    expect(await ledger.quarantined(10)).toHaveLength(1)
    fails = false
    await projectFrames(projection, streamOf(frames))
    expect(await values()).toContain(2)
    expect(await ledger.quarantined(10)).toHaveLength(1)
  })

  it('puts what a store will never take into quarantine, and everything around it into the stores', async () => {
    const { readings, ledger, values, positions } = await createStores()
    const refused: string[] = []
    const projection = new Projection({ readings, ledger }, (rows) => {
      for (const { payload } of rows) refused.push(payload)
    })
    await projection.open()
    const wrongFact = { ...wholeTurn.facts.alerts[0]!, rule: 'wrong', value: Number.NaN }
    const { facts } = wholeTurn
    const entries: JournalEntry[] = [
      ...valued([1, 2, 3]),
      { ...wholeTurn, facts: { ...facts, alerts: [...facts.alerts, wrongFact] } },
      turn(5, [reading({ value: 5, at: 5 }), reading({ value: 66, at: 9e15 }), reading({ value: 6, at: 6 })]),
      ...valued([7, 8]),
    ]
    await projectFrames(projection, streamOf(framesOf(entries)))
    await projection.savePositions()
    expect(await positions()).toEqual([7, 7])
    expect(await values()).toEqual(expect.arrayContaining([1, 2, 3, 5, 6, 7, 8]))
    expect(await values()).not.toContain(66)
    expect(await ledger.alerts({}, 10)).toEqual(facts.alerts)
    expect(await ledger.monitorStates()).toEqual(facts.states.filter(({ state }) => state !== undefined))
    const rows = (await ledger.quarantined(10)).map(({ row }) => row)
    // of the turn itself, and what was refused
    expect(rows.map(({ source, code }) => `${source} ${code}`).sort()).toEqual(
      [
        ...facts.quarantined.map(({ source, code }) => `${source} ${code}`),
        ...Array(2).fill('journal turn_refused'),
      ].sort(),
    )
    expect(refused.sort()).toEqual(
      [JSON.stringify(wrongFact), JSON.stringify(reading({ value: 66, at: 9e15 }))].sort(),
    )
  })

  it('gives the stores whole batches of frames without readings too', () => {
    const entries = Array.from({ length: batchWeight + 10 }, () => ({ entry: turn(0, []) }))
    expect(batchLength(entries)).toBe(batchWeight)
  })
})
