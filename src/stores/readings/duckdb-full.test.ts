import { expect, it } from 'vitest'
import { reading } from '../../../test/conformance/reading-samples.ts'
import { mountSmallDisk, smallDiskOrSkip } from '../../../test/servers/small-disk.ts'
import type { ReadingStore } from '../../core/ports.ts'
import { createRandom } from '../../ml/random.ts'
import { createDuckDbReadings } from './duckdb.ts'

/** The store of readings on a disk that is full: a tmpfs. */

const { available, reason } = smallDiskOrSkip()
/** Values that cannot be compressed. */
const batch = (position: number) => {
  const random = createRandom(position)
  return Array.from({ length: 2000 }, (_, index) =>
    reading({ at: position * 2000 + index, value: random.next() }),
  )
}

it.skipIf(!available).each([
  ['its log grows to the end of the disk', 64 << 20],
  ['its log cannot be merged any more', 1 << 20],
])(
  `refuses what a full disk has no room for, keeps the rest, and goes on: %s ${reason}`,
  async (_, walLimitBytes) => {
    const disk = mountSmallDisk(8)
    const open = async (): Promise<ReadingStore> => {
      const store = createDuckDbReadings({ folder: disk.path, walLimitBytes })
      await store.open()
      return store
    }
    let position = 0
    /** Appends until that is refused three times. */
    const fill = async (store: ReadingStore): Promise<void> => {
      for (let refusals = 0; refusals < 3; ) {
        await store.append(batch(position + 1), position + 1).then(
          () => position++,
          () => refusals++,
        )
        if (position > 1000) throw new Error('The disk never is full.')
      }
    }
    /** There is room again: the first append may still meet the failure of the last merge, and begins the next. */
    const goOn = async (store: ReadingStore): Promise<void> => {
      const appended = (): Promise<boolean> =>
        store.append(batch(position + 1), position + 1).then(
          () => true,
          () => false,
        )
      await expect.poll(appended).toBe(true)
      position++
    }
    const expectWhole = async (store: ReadingStore): Promise<void> => {
      expect(await store.position()).toBe(position)
      const all = await store.read({}, 10_000_000)
      expect(all).toHaveLength(2000 * position)
      expect(all.at(-1)).toEqual(batch(position).at(-1))
    }
    try {
      let store = await open()
      await fill(store)
      expect(position).toBeGreaterThan(10)
      await expectWhole(store)
      disk.fill()
      await expect(store.close()).rejects.toThrow('the disk is full')
      store = await open()
      await fill(store)
      await expectWhole(store)
      disk.empty()
      disk.resize(12)
      await goOn(store)
      await fill(store)
      await expectWhole(store)
      disk.resize(64)
      await goOn(store)
      await store.maintain()
      await store.close()
      store = await open()
      await expectWhole(store)
      await store.close()
    } finally {
      disk.remove()
    }
  },
  120_000,
)
