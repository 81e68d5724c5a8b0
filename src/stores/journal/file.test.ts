import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { examineJournal, framesAfter, turn, valuesOf } from '../../../test/conformance/journal.ts'
import { reading } from '../../../test/conformance/reading-samples.ts'
import { FragileJournalDisk } from '../../../test/crash/journal-disk.ts'
import { mountSmallDisk, smallDiskOrSkip } from '../../../test/servers/small-disk.ts'
import { temporaryFolder } from '../../../test/servers.ts'
import type { Journal } from '../../core/journal.ts'
import { createRandom } from '../../ml/random.ts'
import { machineDisk } from './disk.ts'
import { createFileJournal, readFileJournal } from './file.ts'

const parent = temporaryFolder('journal')
let count = 0
const folderOf = (index: number): string => join(parent.path, String(index), 'journal')
const segmentBytes = 1 << 16

afterAll(() => parent.remove())

examineJournal({
  name: 'file',
  create: async () => createFileJournal({ folder: folderOf(++count), segmentBytes }),
  reopen: async () => createFileJournal({ folder: folderOf(count), segmentBytes }),
})

const segmentsOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.journal')).sort()

/** A journal of several segments, closed; gives its folder. */
async function written(values: number): Promise<string> {
  const folder = folderOf(++count)
  const journal = createFileJournal({ folder, segmentBytes: 4096 })
  await journal.open(0)
  for (let value = 1; value <= values; value++) await journal.append(turn(value), value)
  await journal.close()
  return folder
}

async function opened(
  folder: string,
  size = 4096,
): Promise<{ journal: Journal; cutBytes: number; last: number }> {
  const journal = createFileJournal({ folder, segmentBytes: size })
  const { cutBytes, last } = await journal.open(0)
  return { journal, cutBytes, last }
}

describe('file journal: segments', () => {
  it('are files of one length, readable for this user only', async () => {
    const folder = await written(200)
    const names = await segmentsOf(folder)
    expect(names.length).toBeGreaterThan(2)
    expect(names[0]).toBe('0000000000000001.journal')
    for (const name of names) {
      const { size, mode } = await stat(join(folder, name))
      expect([size, mode & 0o077]).toEqual([4096, 0])
    }
    expect((await stat(folder)).mode & 0o077).toBe(0)
  })

  it('are used again once they are released, and what they held before is never read', async () => {
    const folder = folderOf(++count)
    const journal = createFileJournal({ folder, segmentBytes: 4096 })
    await journal.open(0)
    for (let value = 1; value <= 2000; value++) {
      await journal.append(turn(value), value)
      if (value % 10 === 0) await journal.release(journal.releasable, Number.POSITIVE_INFINITY)
    }
    expect(journal.bytes).toBeLessThanOrEqual(4 * 4096)
    const left = valuesOf(await framesAfter(journal, 1990))
    expect(left).toEqual([1991, 1992, 1993, 1994, 1995, 1996, 1997, 1998, 1999, 2000])
    await journal.close()
    const again = await opened(folder)
    expect([again.last, again.cutBytes]).toEqual([2000, 0])
    expect(valuesOf(await framesAfter(again.journal, 1998))).toEqual([1999, 2000])
    await again.journal.close()
  })

  it('are kept as long as their frames are to be kept, also beyond a restart and a failed disk', async () => {
    const disk = new FragileJournalDisk()
    const on = () => createFileJournal({ folder: '/journal', segmentBytes: 4096, disk })
    const first = on()
    await first.open(0)
    for (let value = 1; value <= 40; value++) await first.append(turn(value), 1000 + value)
    await first.close()
    const second = on()
    await second.open(40)
    disk.failing = (what) => what === 'sync'
    await expect(second.append(turn(0), 1041)).rejects.toThrow('EIO')
    disk.failing = undefined
    await second.makeRoom()
    await second.append(turn(41), 1042)
    await second.release(second.releasable, 1000)
    expect(valuesOf(await framesAfter(second, 0))).toHaveLength(41)
    await second.release(second.releasable, 1042)
    expect(valuesOf(await framesAfter(second, 0)).at(0)).toBeGreaterThan(1)
    await second.close()
  })

  it('are made longer for a frame that does not fit', async () => {
    const folder = folderOf(++count)
    const journal = createFileJournal({ folder, segmentBytes: 4096 })
    await journal.open(0)
    const many = Array.from({ length: 1000 }, (_, at) => reading({ at, value: at }))
    await journal.append(turn(0, many), 1)
    await journal.append(turn(-1), 2)
    await journal.close()
    const again = await opened(folder)
    expect(valuesOf(await framesAfter(again.journal, 0))).toHaveLength(1001)
    await again.journal.close()
  })
})

describe('file journal: a frame that cannot be read', () => {
  /** Changes the newest segment with frames in place. */
  async function change(folder: string, edit: (bytes: Buffer) => void): Promise<string> {
    const name = (await segmentsOf(folder)).at(-1)!
    const bytes = await readFile(join(folder, name))
    edit(bytes)
    await writeFile(join(folder, name), bytes)
    return name
  }

  it('is cut off at the end: it may be a write that was interrupted', async () => {
    const folder = await written(10)
    await change(folder, (bytes) => {
      const last = bytes.lastIndexOf(Buffer.from([0x48, 0x46, 0x52, 0x4d]))
      bytes.fill(0, last + 60, last + 76)
    })
    const { journal, cutBytes, last } = await opened(folder)
    expect(cutBytes).toBeGreaterThan(0)
    expect(last).toBe(9)
    await journal.append(turn(77), 1)
    expect(valuesOf(await framesAfter(journal, 7))).toEqual([8, 9, 77])
    await journal.close()
  })

  it('is named with segment and offset in the middle: later frames tell that it was durable', async () => {
    const folder = await written(10)
    let offset = 0
    const name = await change(folder, (bytes) => {
      const magic = Buffer.from([0x48, 0x46, 0x52, 0x4d])
      offset = bytes.indexOf(magic)
      for (let frame = 1; frame < 4; frame++) offset = bytes.indexOf(magic, offset + 1)
      bytes[offset + 57]! ^= 1
    })
    await expect(opened(folder)).rejects.toThrow(
      new RegExp(`damaged: segment ${name}, offset ${offset}: frame \\d+ cannot be read`),
    )
  })

  it('is named with segment and offset in an older segment, when it is read', async () => {
    const folder = await written(100)
    const [name = ''] = await segmentsOf(folder)
    const bytes = await readFile(join(folder, name))
    bytes[200]! ^= 1
    await writeFile(join(folder, name), bytes)
    const { journal } = await opened(folder)
    await expect(framesAfter(journal, 0)).rejects.toThrow(`segment ${name}, offset`)
    await journal.close()
  })

  it('every changed byte of a frame is found', async () => {
    const folder = await written(3)
    const [name = ''] = await segmentsOf(folder)
    const good = await readFile(join(folder, name))
    // from the second frame to the end of the third
    const second = good.indexOf(Buffer.from([0x48, 0x46, 0x52, 0x4d]), 70)
    const end = good.lastIndexOf(Buffer.from([0x48, 0x46, 0x52, 0x4d])) + 76
    for (let at = second; at < end; at += 3) {
      const bytes = Buffer.from(good)
      bytes[at]! ^= 0x10
      await writeFile(join(folder, name), bytes)
      const last = await opened(folder).then(
        async ({ journal, last: found }) => {
          const values = valuesOf(await framesAfter(journal, 0))
          expect(values).toEqual([1, 2, 3].slice(0, found))
          await journal.close()
          await writeFile(join(folder, name), good)
          return found
        },
        (error: Error) => error.message,
      )
      expect(last === 1 || last === 2 || String(last).includes('damaged')).toBe(true)
      for (const other of await segmentsOf(folder))
        if (other !== name) await writeFile(join(folder, other), '')
    }
  })

  it('a file of another format is refused by name', async () => {
    const folder = await written(3)
    const name = await change(folder, (bytes) => bytes.writeUInt32LE(2, 4))
    await expect(opened(folder)).rejects.toThrow(
      `segment ${name}, offset 4: a newer Homeostat wrote it (format 2)`,
    )
  })
})

describe('readFileJournal', () => {
  const contents = async (folder: string) =>
    Promise.all(
      (await readdir(folder)).sort().map(async (name) => [name, await readFile(join(folder, name))] as const),
    )

  it('reads all frames of a journal that a crash cut short, and changes nothing', async () => {
    const folder = await written(100)
    const name = (await segmentsOf(folder)).at(-1)!
    const bytes = await readFile(join(folder, name))
    bytes.fill(0, bytes.lastIndexOf(Buffer.from([0x48, 0x46, 0x52, 0x4d])) + 60)
    await writeFile(join(folder, name), bytes)
    const before = await contents(folder)
    const { span, lastAt, read } = await readFileJournal({ folder })
    expect(span).toMatchObject({ first: 1, last: 99 })
    expect(span.cutBytes).toBeGreaterThan(0)
    expect(lastAt).toBe(99)
    expect(valuesOf(await framesAfter({ read }, 0))).toEqual(Array.from({ length: 99 }, (_, at) => at + 1))
    expect(valuesOf(await framesAfter({ read }, 97))).toEqual([98, 99])
    expect(await contents(folder)).toEqual(before)
  })

  it('knows when the newest frame was appended where the newest segment has none', async () => {
    const folder = await written(100)
    const { journal } = await opened(folder)
    await journal.close()
    expect(await readFileJournal({ folder })).toMatchObject({ span: { last: 100 }, lastAt: 100 })
  })

  it('names a damaged frame with segment and offset', async () => {
    const folder = await written(100)
    const [name = ''] = await segmentsOf(folder)
    const bytes = await readFile(join(folder, name))
    bytes[200]! ^= 1
    await writeFile(join(folder, name), bytes)
    const journal = await readFileJournal({ folder })
    await expect(framesAfter(journal, 0)).rejects.toThrow(`segment ${name}, offset`)
  })

  it('rejects where there is no journal', async () => {
    const folder = folderOf(++count)
    const missing = `There is no journal in ${folder}.`
    await expect(readFileJournal({ folder })).rejects.toThrow(missing)
    await mkdir(folder, { recursive: true })
    await expect(readFileJournal({ folder })).rejects.toThrow(missing)
    await writeFile(`${folder}x`, '')
    await expect(readFileJournal({ folder: `${folder}x` })).rejects.toThrow('ENOTDIR')
  })
})

describe('file journal on a failing disk', () => {
  const folder = '/journal'
  const on = (disk: FragileJournalDisk) => createFileJournal({ folder, segmentBytes: 2048, disk })

  /** What every process must find that opens the journal after `acknowledged`. */
  async function expectWhole(
    disk: FragileJournalDisk,
    acknowledged: readonly number[],
    what: string,
  ): Promise<void> {
    const journal = on(disk)
    await journal.open(0)
    const found = valuesOf(await framesAfter(journal, 0))
    expect([what, found.filter((value) => acknowledged.includes(value))]).toEqual([what, acknowledged])
    expect([what, found]).toEqual([what, [...new Set(found)]])
    // and goes on
    await journal.append(turn(1000), 1)
    expect([what, valuesOf(await framesAfter(journal, 0)).at(-1)]).toEqual([what, 1000])
    await journal.close()
  }

  /** Appends some turns, two at a time; gives the values that were acknowledged. */
  async function work(journal: Journal): Promise<number[]> {
    const acknowledged: number[] = []
    await journal.open(0)
    for (let value = 1; value <= 60; value += 2) {
      await Promise.allSettled(
        [value, value + 1].map((one) => journal.append(turn(one), one).then(() => acknowledged.push(one))),
      )
      if (value % 15 === 0)
        await journal
          .release(Math.min(8, journal.releasable), Number.POSITIVE_INFINITY)
          .catch(() => undefined)
    }
    return acknowledged.sort((a, b) => a - b)
  }

  it('loses nothing that was acknowledged, whatever operation is the last, to a crash or a power cut', async () => {
    const all = new FragileJournalDisk()
    await work(on(all))
    const operations = all.done
    expect(operations).toBeGreaterThan(100)
    for (let failAt = 1; failAt <= operations; failAt++) {
      for (const isPowerCut of [false, true]) {
        const random = createRandom(failAt)
        const disk = new FragileJournalDisk((below) => Math.floor(random.next() * below))
        disk.failAt = failAt
        const acknowledged = await work(on(disk)).catch(() => [])
        if (isPowerCut) disk.powerCut()
        else disk.revive()
        const kept = acknowledged.filter((value) => value > 8)
        await expectWhole(disk, kept, `${isPowerCut ? 'power cut' : 'crash'} at ${failAt}`)
      }
    }
  }, 120_000)

  it('goes on after an operation that failed once, and acknowledges nothing that is not durable', async () => {
    const all = new FragileJournalDisk()
    await work(on(all))
    for (let failAt = 4; failAt <= all.done; failAt++) {
      const random = createRandom(failAt)
      const disk = new FragileJournalDisk((below) => Math.floor(random.next() * below))
      disk.failAt = failAt
      disk.once = true
      const acknowledged = await work(on(disk)).catch(() => [])
      disk.powerCut()
      await expectWhole(
        disk,
        acknowledged.filter((value) => value > 8),
        `failed once at ${failAt}`,
      )
    }
  }, 120_000)

  it('acknowledges nothing after a sync that failed, and takes further frames once syncs succeed', async () => {
    const disk = new FragileJournalDisk()
    const journal = on(disk)
    await journal.open(0)
    await journal.append(turn(1), 1)
    disk.failing = (what) => what === 'sync'
    const [first, second] = await Promise.allSettled([journal.append(turn(2), 2), journal.append(turn(3), 3)])
    expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
    await expect(journal.makeRoom()).rejects.toThrow('EIO')
    disk.failing = undefined
    await journal.makeRoom()
    await journal.append(turn(4), 4)
    // what was not acknowledged does not count, although it may lie in the file
    expect(valuesOf(await framesAfter(journal, 0))).toEqual([1, 4])
    await journal.close()
    disk.powerCut()
    const again = on(disk)
    await again.open(0)
    expect(valuesOf(await framesAfter(again, 0))).toEqual([1, 4])
    await again.close()
  })
})

describe('file journal on a full disk', () => {
  const folder = '/journal'
  const segment = 4096
  const on = (disk: FragileJournalDisk) => createFileJournal({ folder, segmentBytes: segment, disk })
  /** What a segment needs: itself, twice itself in the stores, and a spare megabyte. */
  const forStores = 2 * segment + (1 << 20)

  /** Appends turns from `value` on until one is refused; gives the last one that was taken. */
  async function fill(journal: Journal, value: number): Promise<number> {
    for (let next = value; ; next++) {
      if (next > value + 1000) throw new Error('The disk never is full.')
      const isTaken = await journal.append(turn(next), next).then(
        () => true,
        () => false,
      )
      if (!isTaken) return next - 1
    }
  }

  it('stops while the stores still have room for what it holds, and goes on when there is more', async () => {
    const disk = new FragileJournalDisk()
    const journal = on(disk)
    await journal.open(0)
    disk.free = forStores - 1
    const last = await fill(journal, 1)
    expect(last).toBeGreaterThan(10)
    const refused = `the disk is full: ${folder} has ${forStores - 1} bytes left, and needs ${forStores} to go on`
    await expect(journal.append(turn(-1), 1)).rejects.toThrow(refused)
    await expect(journal.makeRoom()).rejects.toThrow(refused)
    disk.free = forStores
    await journal.makeRoom()
    await journal.append(turn(last + 1), 1)
    expect(valuesOf(await framesAfter(journal, 0))).toHaveLength(last + 1)
    // the spare segment is used up
    disk.free = forStores + segment - 1
    const next = await fill(journal, last + 2)
    await expect(journal.makeRoom()).rejects.toThrow(`needs ${forStores + segment} to go on`)
    disk.free = forStores + segment
    await journal.append(turn(next + 1), 1)
    await journal.close()
  })

  it('opens there, gives what it holds, and takes frames once there is room', async () => {
    const disk = new FragileJournalDisk()
    const first = on(disk)
    await first.open(0)
    for (const value of [1, 2, 3]) await first.append(turn(value), value)
    await first.close()
    disk.free = 0
    const journal = on(disk)
    expect(await journal.open(7)).toEqual({ first: 1, last: 3, cutBytes: 0 })
    expect(valuesOf(await framesAfter(journal, 1))).toEqual([2, 3])
    await expect(journal.append(turn(4), 4)).rejects.toThrow('the disk is full')
    await expect(journal.makeRoom()).rejects.toThrow('the disk is full')
    disk.free = Number.POSITIVE_INFINITY
    expect(await journal.append(turn(4), 4)).toMatchObject({ position: 8 })
    expect(valuesOf(await framesAfter(journal, 0))).toEqual([1, 2, 3, 4])
    await journal.close()
    const again = on(disk)
    expect(await again.open(0)).toMatchObject({ first: 1, last: 8 })
    expect(valuesOf(await framesAfter(again, 0))).toEqual([1, 2, 3, 4])
    await again.close()
  })

  it('does not open where the disk fails in another way', async () => {
    const disk = new FragileJournalDisk()
    disk.failing = (what) => what === 'allocate'
    await expect(on(disk).open(0)).rejects.toThrow('EIO: allocate')
  })

  const { available, reason } = smallDiskOrSkip()
  it.skipIf(!available)(`leaves no room taken by a segment that it could not make ${reason}`, async () => {
    const disk = mountSmallDisk(2)
    try {
      // the disk shrinks between the look and the writing
      const make = machineDisk.allocate(join(disk.path, 'spare'), 8 << 20)
      await expect(make).rejects.toThrow('ENOSPC')
      expect(await readdir(disk.path)).toEqual([])
      // as a kill in between leaves it
      await mkdir(join(disk.path, 'journal'))
      await writeFile(join(disk.path, 'journal', 'spare'), Buffer.alloc(1000))
      const journal = createFileJournal({ folder: join(disk.path, 'journal') })
      await journal.open(0)
      expect(await readdir(join(disk.path, 'journal'))).toEqual([])
      await expect(journal.makeRoom()).rejects.toThrow('the disk is full')
      disk.resize(32)
      await journal.append(turn(1), 1)
      await journal.close()
    } finally {
      disk.remove()
    }
  })
})
