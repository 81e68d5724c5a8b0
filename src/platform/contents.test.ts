import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openContents } from './contents.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-contents-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const present = async () => ({ journal: true, readings: true, ledger: true, journalFirst: 1 })
const open = (acceptLoss = false) => openContents({ folder, acceptLoss, present })

describe('what a folder is known to hold', () => {
  it('is nothing before it was begun, and then what was marked last, also after a kill', async () => {
    const first = open()
    expect(first.known).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
    first.markLedger(5)
    await first.begin(true, 7)
    expect(open().known).toMatchObject({ journal: 7, ledger: 5, isComplete: true })
    first.markJournal(9)
    first.markJournal(8)
    first.markLedger(6)
    // the first one is not closed
    expect(open().known).toMatchObject({ journal: 9, ledger: 6, isComplete: true })
    await first.close()
    const second = open()
    await second.begin(false, 9)
    await second.close()
    expect(open().known).toMatchObject({ isComplete: true })
  })

  it('is lower after a loss was accepted', async () => {
    const first = open()
    await first.begin(true, 100)
    await first.close()
    const accepted = open(true)
    accepted.markLedger(1)
    await accepted.begin(true, 3)
    await accepted.close()
    expect(open().known).toMatchObject({ journal: 3, ledger: 1 })
  })

  it('is unknown where the file is damaged in any bit that means something', async () => {
    const first = open()
    await first.begin(true, 100)
    await first.close()
    const file = join(folder, 'contents')
    const whole = readFileSync(file)
    for (let bit = 0; bit < whole.length * 8; bit += 37) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(file, damaged)
      expect(open().known).toBeUndefined()
    }
  })

  it('moves all files of a lost store aside, and no others', async () => {
    for (const name of ['readings.duckdb.wal', 'readings.duckdb.undo', 'readings.csv', 'ledger.db'])
      writeFileSync(join(folder, name), '')
    mkdirSync(join(folder, 'journal'))
    await open().setAside('readings')
    await open().setAside('journal')
    const names = readdirSync(folder).map((name) => name.replace(/^lost-\d+-/, 'lost '))
    expect(names.sort()).toEqual(
      [
        'ledger.db',
        'lost journal',
        'lost readings.duckdb.undo',
        'lost readings.duckdb.wal',
        'readings.csv',
      ].sort(),
    )
  })
})
