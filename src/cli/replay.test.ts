import { rmSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterAll, describe, expect, it } from 'vitest'
import { framesAfter, turn, valuesOf } from '../../test/conformance/journal.ts'
import * as samples from '../../test/conformance/ledger-samples.ts'
import { reading } from '../../test/conformance/reading-samples.ts'
import { temporaryFolder } from '../../test/servers.ts'
import { createStores } from '../compose.ts'
import { type Config, loadConfig } from '../config/load.ts'
import type { JournalEntry } from '../core/journal.ts'
import { emptyFacts } from '../core/turn.ts'
import { batchWeight } from '../engine/projection.ts'
import { createFileJournal } from '../stores/journal/file.ts'
import { parseMoment } from './flags.ts'
import { replay } from './replay.ts'
import { describeReplay, progressOn } from './replay-command.ts'

const parent = temporaryFolder('replay')
let count = 0
afterAll(() => parent.remove())

const newFolder = (): string => join(parent.path, String(++count))
const configOf = (data: string): Config =>
  loadConfig({ cwd: parent.path, env: {}, flags: { data }, domains: [] })
const noSignal = new AbortController().signal

/** A turn with a reading of its own time and a row of quarantine, which nothing but positions keeps from being twice. */
const valued = (value: number): JournalEntry => ({
  ...turn(value, [reading({ value, at: value })]),
  facts: { ...emptyFacts, quarantined: [samples.quarantined(value)] },
})

/** A data folder whose journal has these turns, each appended at 1000 times its value. */
async function journalOf(values: readonly number[], folder = newFolder(), after = 0): Promise<string> {
  const journal = createFileJournal({ folder: join(folder, 'journal'), segmentBytes: 4096 })
  await journal.open(after)
  for (const value of values) await journal.append(valued(value), value * 1000)
  await journal.close()
  return folder
}

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

const run = (from: string, data: string, until?: number, signal = noSignal) =>
  replay({ from, config: configOf(data), ...(until === undefined ? {} : { until }) }, () => undefined, signal)

/** What the stores of a folder have. */
async function storedIn(data: string) {
  const { readings, ledger } = createStores(configOf(data))
  await readings.open()
  await ledger.open()
  const values = (await readings.read({}, 1_000_000)).map(({ value }) => value)
  const bad = (await ledger.quarantined(10_000)).map(({ row }) => row.at).sort((a, b) => a - b)
  const positions = [await readings.position(), await ledger.position()]
  await readings.close()
  await ledger.close()
  return { values, bad, positions }
}

const contents = async (folder: string) =>
  Promise.all(
    (await readdir(folder)).sort().map(async (name) => [name, await readFile(join(folder, name))] as const),
  )

describe('replay', () => {
  it('restores into an empty folder what was appended at or before a moment, and changes nothing it reads', async () => {
    const [from, data] = [await journalOf(upTo(200)), newFolder()]
    const before = await contents(join(from, 'journal'))
    const { summary, failure } = await run(from, data, 120_000)
    expect(failure).toBeUndefined()
    expect(summary).toMatchObject({
      ...{ end: 'until', frames: 120, readings: 120, firstAt: 1000, lastAt: 120_000, position: 120 },
      ...{ left: 80, journalEndsAt: 200_000, cutBytes: 0, replacedJournal: null },
    })
    expect(await storedIn(data)).toEqual({ values: upTo(120), bad: upTo(120), positions: [120, 120] })
    expect(await contents(join(from, 'journal'))).toEqual(before)
    expect(await readdir(from)).toEqual(['journal'])
    expect(await readdir(data)).not.toContain('hub.json')
  })

  it('goes on where the stores are, each turn once', async () => {
    const [from, data] = [await journalOf(upTo(200)), newFolder()]
    await run(from, data, 120_000)
    expect((await run(from, data, 150_500)).summary).toMatchObject({ frames: 30, firstAt: 121_000 })
    expect((await run(from, data)).summary).toMatchObject({ end: 'journal', frames: 50, left: 0 })
    expect((await run(from, data)).summary).toMatchObject({ end: 'journal', frames: 0, readings: 0 })
    expect(await storedIn(data)).toEqual({ values: upTo(200), bad: upTo(200), positions: [200, 200] })
  })

  it('leaves a journal that goes on behind the stores, and sets the one aside that was copied with them', async () => {
    const [from, data] = [await journalOf(upTo(50)), newFolder()]
    await run(from, data, 20_000)
    await rm(join(data, 'journal'), { recursive: true })
    await cp(join(from, 'journal'), join(data, 'journal'), { recursive: true })
    const { summary } = await run(from, data, 30_000)
    expect(await contents(summary.replacedJournal!)).toEqual(await contents(join(from, 'journal')))
    const journal = createFileJournal({ folder: join(data, 'journal') })
    expect(await journal.open(30)).toMatchObject({ first: 31, last: 31 })
    expect(valuesOf(await framesAfter(journal, 0))).toEqual([])
    await journal.close()
  })

  it('stops at a signal, and goes on there when it is called again', async () => {
    const [from, data] = [newFolder(), newFolder()]
    const journal = createFileJournal({ folder: join(from, 'journal') })
    await journal.open(0)
    const rows = (device: string) =>
      Array.from({ length: batchWeight }, (_, at) => reading({ device, value: at, at }))
    for (const device of ['a', 'b', 'c']) await journal.append(turn(0, rows(device)), 1)
    await journal.close()
    const stop = new AbortController()
    const { summary } = await replay({ from, config: configOf(data) }, () => stop.abort(), stop.signal)
    expect(summary).toMatchObject({ end: 'stopped', frames: 1, left: 2 })
    expect(await readdir(data)).not.toContain('journal')
    expect((await run(from, data)).summary).toMatchObject({ end: 'journal', frames: 2 })
    expect((await storedIn(data)).values).toHaveLength(3 * batchWeight)
  })
})

describe('replay into a store that fails', () => {
  it('rejects with what is wrong, and called again brings each turn there once', async () => {
    const [from, data] = [await journalOf(upTo(50)), newFolder()]
    await run(from, data, 30_000)
    const change = (sql: string): void => {
      const database = new Libsql(join(data, 'ledger.db'))
      database.exec(sql)
      database.close()
      // the pages are not as they were
      rmSync(join(data, 'ledger.db-sums'), { force: true })
    }
    change(
      "CREATE TRIGGER full BEFORE INSERT ON quarantined BEGIN SELECT RAISE(FAIL, 'the disk is full'); END",
    )
    await expect(run(from, data)).rejects.toThrow(/^The readings could not be stored: .*the disk is full/)
    // the other store has them already
    expect(await storedIn(data)).toEqual({ values: upTo(50), bad: upTo(30), positions: [50, 30] })
    change('DROP TRIGGER full')
    await run(from, data)
    expect(await storedIn(data)).toEqual({ values: upTo(50), bad: upTo(50), positions: [50, 50] })
  })
})

describe('replay of a journal that does not fit the stores', () => {
  it('names both where it does not reach back far enough, and touches nothing', async () => {
    const [from, data] = [await journalOf(upTo(60, 43), undefined, 42), newFolder()]
    await journalOf([1], data)
    await expect(run(from, data)).rejects.toThrow(
      `The journal in ${from} lacks turns: the stores in ${data} have those up to 0, and it goes on with turn 43, stored at 1970-01-01T00:00:43.000Z. Begin with a copy of stores that have turn 42 or a later one.`,
    )
    expect(await storedIn(data)).toEqual({ values: [], bad: [], positions: [0, 0] })
    expect(await readdir(data)).toContain('journal')
  })

  it('applies everything before turns that are missing in the middle', async () => {
    const from = await journalOf([1, 2])
    await journalOf([71, 72], from, 70)
    const data = newFolder()
    const { summary, failure } = await run(from, data)
    expect(summary).toMatchObject({ end: 'broken', frames: 2, left: 70 })
    expect(String(failure)).toMatch(/up to 2, and it goes on with turn 71, .* turn 70 or a later one/)
    expect(await storedIn(data)).toEqual({ values: [1, 2], bad: [1, 2], positions: [2, 2] })
    // they may be from before the moment
    expect((await run(from, newFolder(), 2000)).summary.end).toBe('broken')
  })

  it('applies everything before a damaged frame, which it names, and the rest when it can be read', async () => {
    const [from, data] = [await journalOf(upTo(200)), newFolder()]
    const [, second = ''] = (await readdir(join(from, 'journal'))).filter((name) => name.endsWith('.journal'))
    const path = join(from, 'journal', second)
    const good = await readFile(path)
    const bad = Buffer.from(good)
    bad[200]! ^= 1
    await writeFile(path, bad)
    const { summary, failure } = await run(from, data)
    expect(summary.end).toBe('broken')
    expect(summary.frames).toBeGreaterThan(0)
    expect(String(failure)).toMatch(`The journal is damaged: segment ${second}, offset`)
    expect((await storedIn(data)).values).toEqual(upTo(summary.frames))
    await writeFile(path, good)
    await run(from, data)
    expect(await storedIn(data)).toEqual({ values: upTo(200), bad: upTo(200), positions: [200, 200] })
  })

  it('refuses stores that are newer than the moment, or than the journal', async () => {
    const [from, data] = [await journalOf(upTo(50)), newFolder()]
    await run(from, data, 30_000)
    await expect(run(from, data, 29_999)).rejects.toThrow(
      `The stores in ${data} already have turn 30, which is later than 1970-01-01T00:00:29.999Z. Begin with an older copy of them, or with an empty folder.`,
    )
    await expect(run(await journalOf(upTo(20)), data)).rejects.toThrow(
      'already have turn 30, which is later than turn 20, the last one of the journal in',
    )
    expect((await storedIn(data)).positions).toEqual([30, 30])
  })

  it('refuses a folder without a journal or without turns, and makes nothing', async () => {
    const [from, data] = [newFolder(), newFolder()]
    await expect(run(from, data)).rejects.toThrow(`There is no journal in ${join(from, 'journal')}.`)
    await expect(readdir(from)).rejects.toThrow('ENOENT')
    await mkdir(join(from, 'journal'), { recursive: true })
    await expect(run(from, data)).rejects.toThrow(`There is no journal in ${join(from, 'journal')}.`)
    await expect(readdir(data)).rejects.toThrow('ENOENT')
    await expect(run(await journalOf([], undefined, 41), data)).rejects.toThrow(
      'There is no turn in the journal',
    )
  })

  it('refuses a folder that a hub holds, and to restore a folder from itself', async () => {
    const from = await journalOf(upTo(5))
    await expect(run(from, from)).rejects.toThrow('--from and --data are the same folder')
    await expect(run(from, join(from, '.'))).rejects.toThrow('--from and --data are the same folder')
    expect(await readdir(from)).toEqual(['journal'])
    await writeFile(join(from, 'hub.json'), JSON.stringify({ pid: process.ppid }))
    await expect(run(from, newFolder())).rejects.toThrow(`held by another hub (process ${process.ppid})`)
  })
})

describe('replay on the command line', () => {
  it.each([
    ['2026-03-02T10:00:00Z', Date.UTC(2026, 2, 2, 10)],
    ['2026-03-02T10:00:00.5+02:00', Date.UTC(2026, 2, 2, 8) + 500],
    ['2026-03-02 10:00', Date.UTC(2026, 2, 2, 10)],
    ['2026-03-02', Date.UTC(2026, 2, 2)],
  ])('reads %s as a time', (text, at) => {
    expect(parseMoment(text)).toBe(at)
  })

  it.each(['', 'yesterday', '10:00:00', '2026-13-02', '1700000000', '1700000000000'])(
    'refuses %j',
    (text) => {
      expect(() => parseMoment(text)).toThrow('A time is ISO 8601')
    },
  )

  it('shows a bar on a terminal, which goes at the end', () => {
    const parts: string[] = []
    const progress = progressOn({ isTTY: true, write: (part) => void parts.push(part) })
    progress.update({ frames: 50, readings: 1234, lastAt: 3_600_000, position: 150 }, 200)
    expect(parts.join('')).toContain('50 % | 1970-01-01T01:00:00.000Z | 1,234 readings')
    progress.stop()
    progress.stop()
    expect(parts.at(-1)).toBe('\u001b[2K')
  })

  it('tells what was restored, what was left out and what to do next', () => {
    const summary = {
      ...{ from: '/old', data: '/new', until: 5000, end: 'until' as const, frames: 1200, readings: 34_567 },
      ...{ firstAt: 1000, lastAt: 4000, position: 1200, left: 7, journalEndsAt: 9000, cutBytes: 0 },
      ...{ replacedJournal: '/new/replaced-journal-1', seconds: 1.24 },
    }
    expect(describeReplay(summary)).toBe(
      `Replayed: 1,200 turns with 34,567 readings into /new in 1.2 s
Stored from 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:04.000Z
Left out: 7 turns after 1970-01-01T00:00:05.000Z; the journal ends at 1970-01-01T00:00:09.000Z
The journal that was in the folder is kept in /new/replaced-journal-1
Start a hub on it with: homeostat serve --data /new
`,
    )
    const stopped = { ...summary, until: null, end: 'stopped' as const, replacedJournal: null }
    expect(describeReplay(stopped)).toMatch(/^Stopped: .*\nLeft out: 7 turns; .*\nThe same command goes on/s)
    const cut = { ...summary, end: 'journal' as const, left: 0, cutBytes: 80 }
    expect(describeReplay(cut)).toMatch(/The journal ends in an incomplete write/)
  })
})
