import { expect, it } from 'vitest'
import { VirtualClock } from '../../test/virtual-clock.ts'
import type { DiskUsage } from '../core/disk.ts'
import { dayMs } from '../core/time.ts'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { DiskWatch } from './disk-watch.ts'

const startMs = Date.parse('2026-03-02T12:00:00Z')

/** A watch over a disk whose fill can be set. */
function createWorld(diskWarningShare = 0.9) {
  const clock = new VirtualClock(startMs)
  const ledger = createMemoryLedger()
  const logged: string[] = []
  const note = (message: string): void => void logged.push(message)
  const disk = { share: 0.5, isGone: false, looks: 0 }
  const usage = async (): Promise<DiskUsage> => {
    disk.looks++
    if (disk.isGone) throw new Error('EIO')
    return { usedShare: disk.share, freeBytes: Math.round((1 - disk.share) * 100 * 2 ** 30) }
  }
  const watch = new DiskWatch(
    { disk: { usage }, ledger, clock, log: { info: note, warn: note, error: note } },
    { diskWarningShare },
  )
  const infos = async () => (await ledger.notes.infos({}, 100)).map(({ summary }) => summary)
  /** The disk is so full from now on, and is looked at. */
  const fill = async (share: number): Promise<void> => {
    disk.share = share
    await clock.advance(10_000)
  }
  const start = async (): Promise<void> => {
    watch.start()
    await clock.advance(0)
  }
  return { clock, ledger, logged, disk, watch, infos, fill, start }
}

it('looks at the start, and then every 10 s', async () => {
  const { clock, disk, watch, start } = createWorld()
  expect(watch.usage).toBeUndefined()
  await start()
  expect([disk.looks, watch.usage]).toEqual([1, { usedShare: 0.5, freeBytes: 50 * 2 ** 30 }])
  disk.share = 0.75
  await clock.advance(9_999)
  expect([disk.looks, watch.usage?.usedShare]).toEqual([1, 0.5])
  await clock.advance(1)
  expect([disk.looks, watch.usage?.usedShare]).toEqual([2, 0.75])
  await watch.stop()
  await clock.advance(60_000)
  expect(disk.looks).toBe(2)
})

it('warns above the share, once, with what is left and what to do', async () => {
  const { ledger, logged, watch, infos, fill, start } = createWorld()
  await start()
  await fill(0.9)
  expect([logged, await infos()]).toEqual([[], []])
  await fill(0.914)
  await fill(0.97)
  const told = ['The disk of the data folder is 91 % full.']
  expect([logged, await infos()]).toEqual([told, told])
  const [info] = await ledger.notes.infos({}, 1)
  expect(info).toMatchObject({ site: null, level: 2, detail: expect.stringMatching(/^8\.6 GB are free\./) })
  await watch.stop()
})

it('warns again only after it was 0.05 lower', async () => {
  const { clock, logged, watch, infos, fill, start } = createWorld()
  await start()
  for (const share of [0.95, 0.89, 0.85, 0.92]) await fill(share)
  expect(logged).toHaveLength(1)
  for (const share of [0.849, 0.92]) await fill(share)
  expect(logged).toHaveLength(2)
  // one Info a day
  expect(await infos()).toEqual(['The disk of the data folder is 92 % full.'])
  await clock.advance(dayMs)
  for (const share of [0.5, 0.93]) await fill(share)
  expect(await infos()).toHaveLength(2)
  await watch.stop()
})

it.each([
  [0.5, 0.51, 1],
  [1, 1, 0],
])('with a share of %d a disk filled to %d is told %d times', async (share, filled, times) => {
  const { logged, watch, fill, start } = createWorld(share)
  await start()
  await fill(filled)
  expect(logged).toHaveLength(times)
  await watch.stop()
})

it('stores the warning as soon as the ledger takes it', async () => {
  const { ledger, logged, watch, infos, fill, start } = createWorld()
  const { putInfos } = ledger.notes
  ledger.notes.putInfos = () => Promise.reject(new Error('database or disk is full'))
  await start()
  await fill(1)
  expect([logged.length, await infos()]).toEqual([1, []])
  ledger.notes.putInfos = putInfos
  await fill(0.7)
  expect([logged.length, await infos()]).toEqual([1, ['The disk of the data folder is 100 % full.']])
  // one that was removed does not come back
  await ledger.notes.removeInfos((await ledger.notes.infos({}, 1))[0]!.at)
  await fill(0.7)
  expect(await infos()).toEqual([])
  await watch.stop()
})

it('knows nothing while the disk cannot be asked, and says so once', async () => {
  const { disk, logged, watch, fill, start } = createWorld()
  await start()
  disk.isGone = true
  await fill(0.95)
  await fill(0.95)
  expect([watch.usage, logged]).toEqual([undefined, ['How full the disk is cannot be found out.']])
  disk.isGone = false
  await fill(0.95)
  expect(watch.usage?.usedShare).toBe(0.95)
  expect(logged.at(-1)).toBe('The disk of the data folder is 95 % full.')
  disk.isGone = true
  await fill(0.95)
  expect(logged).toHaveLength(3)
  await watch.stop()
})
