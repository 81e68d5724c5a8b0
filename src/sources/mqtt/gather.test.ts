import { describe, expect, it } from 'vitest'
import type { Receipt } from '../../core/ports.ts'
import type { RawReading } from '../../core/reading.ts'
import { Gather } from './gather.ts'

/** An emit whose batches are answered by hand. */
function handMade(batchReadings = 100) {
  const batches: { values: unknown[]; commit: () => void; fail: (error: unknown) => void }[] = []
  const gather = new Gather(
    (batch) =>
      new Promise<Receipt>((resolve, reject) => {
        const commit = (): void => resolve({ accepted: batch.length, rejected: [] })
        batches.push({ values: batch.map(({ value }) => value), commit, fail: reject })
      }),
    batchReadings,
  )
  return { gather, batches }
}

const rows = (...values: number[]): RawReading[] => values.map((value) => ({ source: 'test', value }))

/** All microtasks that are due. */
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Gather', () => {
  it('makes one batch of what comes in one tick, in its order', async () => {
    const { gather, batches } = handMade()
    gather.add(rows(1), () => undefined)
    gather.add(rows(2, 3), () => undefined)
    gather.add(rows(4), () => undefined)
    expect(batches).toEqual([])
    await soon()
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3, 4]])
  })

  it('makes another batch of what comes in the next tick, without waiting for the commit', async () => {
    const { gather, batches } = handMade()
    gather.add(rows(1), () => undefined)
    await soon()
    gather.add(rows(2), () => undefined)
    await soon()
    expect(batches.map(({ values }) => values)).toEqual([[1], [2]])
  })

  it('closes a batch that is full', async () => {
    const { gather, batches } = handMade(3)
    for (const value of [1, 2, 3, 4]) gather.add(rows(value), () => undefined)
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3]])
    await soon()
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3], [4]])
  })

  it('settles nobody before the commit, and all of the batch after it, in order', async () => {
    const { gather, batches } = handMade()
    const settled: string[] = []
    gather.add(rows(1), (error) => settled.push(`first ${error}`))
    gather.add([], (error) => settled.push(`empty ${error}`))
    gather.add(rows(2), (error) => settled.push(`second ${error}`))
    await soon()
    expect(settled).toEqual([])
    batches[0]!.commit()
    await soon()
    expect(settled).toEqual(['first undefined', 'empty undefined', 'second undefined'])
  })

  it('tells every waiter of a batch that it failed, and nobody else', async () => {
    const { gather, batches } = handMade(2)
    const settled: (string | undefined)[] = []
    for (const value of [1, 2, 3]) gather.add(rows(value), (error) => settled.push(error?.message))
    await soon()
    batches[0]!.fail('disk full')
    batches[1]!.commit()
    await soon()
    expect(settled).toEqual(['disk full', 'disk full', undefined])
  })

  it('is drained when nothing is left, at once where nothing was there', async () => {
    const { gather, batches } = handMade(1)
    await gather.drained()
    gather.add(rows(1), () => undefined)
    gather.add(rows(2), () => undefined)
    let drained = false
    const done = gather.drained().then(() => {
      drained = true
    })
    await soon()
    batches[1]!.commit()
    await soon()
    expect(drained).toBe(false)
    batches[0]!.fail(new Error('no'))
    await done
  })

  it('calls back once fewer rows wait than asked', async () => {
    const { gather, batches } = handMade(2)
    let calls = 0
    gather.whenBelow(1, () => calls++)
    expect(calls).toBe(1)
    gather.add(rows(1, 2), () => undefined)
    gather.add(rows(3, 4), () => undefined)
    gather.whenBelow(3, () => calls++)
    gather.whenBelow(1, () => calls++)
    expect(calls).toBe(1)
    batches[0]!.commit()
    await soon()
    expect(calls).toBe(2)
    batches[1]!.fail(new Error('no'))
    await soon()
    expect(calls).toBe(3)
  })
})
