import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { key, quarantined, site } from '../../../test/conformance/ledger-samples.ts'
import { isEarlierChange, type KnownContents, type LedgerContents } from '../../core/contents.ts'
import { createSqliteLedger } from './sqlite.ts'

/** What SQLite itself does not notice: values that changed, and commits that are gone. */

let folder: string
let file: string
let change: number
const folders: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-damage-'))
  file = join(folder, 'ledger.db')
  folders.push(folder)
  change = 0
})
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true })
})

const contents = (known?: KnownContents, acceptLoss = false): LedgerContents => ({
  ...{ folder, known, acceptLoss },
  markLedger(newest) {
    change = newest
  },
})
const known = (): KnownContents => ({ journal: 0, ledger: change, isComplete: true })
const open = async (what: LedgerContents) => {
  const ledger = createSqliteLedger({ folder, contents: what })
  await ledger.open()
  return ledger
}

/** Goes on with the files as a kill at this moment would leave them. */
function kill(): void {
  const killed = mkdtempSync(join(tmpdir(), 'homeostat-damage-'))
  for (const name of readdirSync(folder))
    if (!name.endsWith('-shm')) copyFileSync(join(folder, name), join(killed, name))
  folders.push(killed)
  folder = killed
  file = join(killed, 'ledger.db')
}

function flip(name: string, at: number): void {
  const bytes = readFileSync(name)
  bytes[at]! ^= 1
  writeFileSync(name, bytes)
}

describe('the ledger on a damaged disk', () => {
  it('refuses a page of which one bit of a value has changed', async () => {
    const ledger = await open(contents())
    await ledger.putSites([site('home')])
    await ledger.close()
    flip(file, readFileSync(file).indexOf('Europe/Athens'))
    await expect(open(contents())).rejects.toMatchObject({
      code: 'data_damaged',
      message: expect.stringMatching(/page \d+ is not what was written there/),
    })
  })

  it('refuses such a page also where the process was killed with pages in its log', async () => {
    const ledger = await open(contents())
    await ledger.putSites([site('home')])
    await ledger.close()
    const again = await open(contents())
    await again.putKey(key('k1'))
    kill()
    const killed = await open(contents(known()))
    expect(await killed.keys()).toHaveLength(1)
    kill()
    flip(file, readFileSync(file).indexOf('Europe/Athens'))
    await expect(open(contents(known()))).rejects.toMatchObject({ code: 'data_damaged' })
  })

  it.each([
    ['deleted', () => rmSync(`${file}-wal`)],
    ['emptied', () => truncateSync(`${file}-wal`)],
    ['cut', () => truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 100)],
    ['changed in one bit', () => flip(`${file}-wal`, statSync(`${file}-wal`).size - 100)],
  ])('refuses to go on where the log was %s, unless the loss is accepted', async (_, lose) => {
    const ledger = await open(contents())
    await ledger.putSites([site('home')])
    await ledger.putKey(key('k1'))
    kill()
    lose()
    const newest = change
    await expect(open(contents(known()))).rejects.toMatchObject({ code: 'data_lost' })
    const accepted = await open(contents(known(), true))
    expect(await accepted.keys()).toEqual([])
    await accepted.close()
    expect(isEarlierChange(change, newest)).toBe(true)
  })

  it('goes on where another program has moved the log into the file', async () => {
    const ledger = await open(contents())
    await ledger.putSites([site('home')])
    await ledger.close()
    const again = await open(contents())
    await again.putKey(key('k1'))
    kill()
    const other = new Libsql(file)
    other.prepare('pragma wal_checkpoint(TRUNCATE)').all()
    other.close()
    const after = await open(contents(known()))
    expect(await after.keys()).toHaveLength(1)
    await after.close()
    await (await open(contents(known()))).close()
  })

  it('gives each transaction that writes a number, and none to a query', async () => {
    const ledger = await open(contents())
    const before = change
    await ledger.putSites([site('home')])
    expect(change).toBe(before + 1)
    await ledger.keys()
    expect(change).toBe(before + 1)
    await ledger.putQuarantined(Array.from({ length: 5000 }, (_, at) => quarantined(at)))
    const last = change
    expect(last).toBeGreaterThan(before + 1)
    await ledger.close()
    await (await open(contents(known()))).close()
    expect(change).toBe(last)
  })
})

describe('numbers of changes', () => {
  it.each([
    [1, 2, true],
    [2, 1, false],
    [7, 7, false],
    [2 ** 31 - 1, 0, true],
    [0, 2 ** 31 - 1, false],
  ])('%i was made before %i: %s', (a, b, earlier) => {
    expect(isEarlierChange(a, b)).toBe(earlier)
  })
})
