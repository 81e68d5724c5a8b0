import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mountSmallDisk, type SmallDisk, smallDiskOrSkip } from '../../test/servers/small-disk.ts'
import { temporaryFolder } from '../../test/servers.ts'
import { HomeostatError } from '../core/errors.ts'
import { createDisk, explainStart, keepReserve, releaseReserve } from './disk.ts'
import { claimFolder } from './folder.ts'

const { available, reason } = smallDiskOrSkip()
const mib = 2 ** 20

describe.skipIf(!available)(`on a disk of its own ${reason}`, () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = mountSmallDisk(16)
  })
  afterEach(() => disk.remove())

  it('tells how full it is', async () => {
    expect(await createDisk(disk.path).usage()).toEqual({ usedShare: 0, freeBytes: 16 * mib })
    await writeFile(join(disk.path, 'file'), Buffer.alloc(4 * mib, 1))
    expect(await createDisk(disk.path).usage()).toEqual({ usedShare: 0.25, freeBytes: 12 * mib })
    disk.fill()
    expect(await createDisk(disk.path).usage()).toEqual({ usedShare: 1, freeBytes: 0 })
    await expect(createDisk(join(disk.path, 'none')).usage()).rejects.toThrow('ENOENT')
  })

  it('keeps room for a start on it when it is full, and gives it once', async () => {
    await releaseReserve(disk.path)
    await keepReserve(disk.path)
    expect(await readdir(disk.path)).toEqual(['reserve'])
    expect((await stat(join(disk.path, 'reserve'))).mode & 0o077).toBe(0)
    const free = disk.freeBytes()
    expect(free).toBe(15 * mib)
    // nothing changes while there is room
    await keepReserve(disk.path)
    await releaseReserve(disk.path)
    expect(disk.freeBytes()).toBe(free)
    disk.fill()
    await releaseReserve(disk.path)
    expect(disk.freeBytes()).toBe(mib)
    await keepReserve(disk.path)
    await releaseReserve(disk.path)
    expect(disk.freeBytes()).toBe(mib)
    disk.empty()
    await keepReserve(disk.path)
    expect(existsSync(join(disk.path, 'reserve'))).toBe(true)
  })

  it('explains a start that meets the end of it', async () => {
    disk.fill()
    const error = await claimFolder(disk.path).catch((failure: unknown) => failure)
    expect(await explainStart(error, disk.path)).toMatchObject({
      code: 'disk_full',
      message: `The disk of the data folder ${disk.path} is full (0 bytes are free; ENOSPC: no space left on device, write). Make room on it or enlarge it, then start again; nothing that was acknowledged is lost.`,
      cause: error,
    })
    // an engine that does not say why
    expect(await explainStart(new Error('disk I/O error'), disk.path)).toMatchObject({ code: 'disk_full' })
    const opened = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_SHMSIZE' })
    const unreadable = new HomeostatError('file_unreadable', { file: 'f', detail: 'disk I/O error' }, opened)
    expect(await explainStart(unreadable, disk.path)).toMatchObject({ code: 'disk_full' })
    disk.empty()
    expect(await explainStart(unreadable, disk.path)).toBe(unreadable)
  })

  it('explains a start on one that is mounted read-only', async () => {
    disk.makeReadOnly()
    const error = await claimFolder(disk.path).catch((failure: unknown) => failure)
    expect(await explainStart(error, disk.path)).toMatchObject({
      code: 'data_unwritable',
      message: `The data folder ${disk.path} cannot be written: its disk is mounted read-only; mount it for writing, or choose another folder with --data.`,
    })
  })
})

describe('explains a start', () => {
  const folder = temporaryFolder()
  const { path } = folder

  it('in a folder of another user', async () => {
    const error = Object.assign(new Error("EACCES: permission denied, open 'hub.json.tmp'"), {
      code: 'EACCES',
    })
    expect(String(await explainStart(error, path))).toMatch(
      /^HomeostatError: The data folder \S+ cannot be written: the user (\S+) may not write there; give the folder to that user \(chown -R \1 \S+\), or choose another with --data\.$/,
    )
  })

  it('where the folder is a file', async () => {
    await mkdir(join(path, 'below'))
    const file = join(path, 'below', 'file')
    await writeFile(file, '')
    for (const data of [file, join(file, 'data')]) {
      const error = await claimFolder(data).catch((failure: unknown) => failure)
      expect(String(await explainStart(error, data))).toContain('it is a file, or lies below one')
    }
  })

  it('by the error of an engine that is the cause of another', async () => {
    for (const [text, code] of [
      ['IO Error: Could not write file "x": No space left on device', 'disk_full'],
      ['database or disk is full', 'disk_full'],
      ['Cannot open file "x": Permission denied', 'data_unwritable'],
      ['Cannot open file "x": Read-only file system', 'data_unwritable'],
    ] as const) {
      const error = new Error('it failed', { cause: new Error(text) })
      expect([text, await explainStart(error, path)]).toMatchObject([text, { code }])
    }
  })

  it('with nothing more to say', async () => {
    const locked = new HomeostatError('data_locked', { folder: path, pid: 1 })
    expect(await explainStart(locked, path)).toBe(locked)
    const elsewhere = await mkdir(`${path}.none/models`).catch((failure: unknown) => failure)
    expect(await explainStart(elsewhere, path)).toBe(elsewhere)
    const other = Object.assign(new Error('EACCES: permission denied'), { path: `${path}-other/models` })
    expect(await explainStart(other, path)).toBe(other)
    const bug = new TypeError('x is not a function')
    expect(await explainStart(bug, path)).toBe(bug)
    expect(await explainStart('text', path)).toBe('text')
    await rename(join(path, 'below'), join(path, 'gone'))
    expect(await explainStart(bug, join(path, 'below'))).toBe(bug)
    folder.remove()
  })
})
