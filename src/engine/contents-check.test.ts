import { describe, expect, it } from 'vitest'
import type { FolderContents, KnownContents, PresentStores, StoreName } from '../core/contents.ts'
import { requireStores, requireTurns } from './contents-check.ts'

const whole: PresentStores = { journal: true, readings: true, ledger: true, journalFirst: 1 }
const known: KnownContents = { journal: 100, ledger: 50, isComplete: true }

function contents(change: {
  known?: KnownContents | undefined
  present?: Partial<PresentStores>
  acceptLoss?: boolean
}): FolderContents & { readonly aside: StoreName[] } {
  const aside: StoreName[] = []
  return {
    ...{
      folder: '/data',
      known: 'known' in change ? change.known : known,
      acceptLoss: change.acceptLoss ?? false,
    },
    present: async () => ({ ...whole, ...change.present }),
    async setAside(store) {
      aside.push(store)
    },
    begin: async () => undefined,
    markJournal: () => undefined,
    markLedger: () => undefined,
    close: async () => undefined,
    aside,
  }
}

const none = { journal: false, readings: false, ledger: false, journalFirst: undefined }

describe('stores of a folder that had data', () => {
  it.each([
    ['ledger', { ledger: false }, known, /the ledger .* is missing or empty/],
    ['journal', { journal: false, journalFirst: undefined }, known, /the journal .* is missing or empty/],
    [
      'readings, journal begins later',
      { readings: false, journalFirst: 2 },
      known,
      /does not reach back to the first turn/,
    ],
    [
      'readings, older than the journal',
      { readings: false },
      { ...known, isComplete: false },
      /before there was a journal/,
    ],
    ['all', none, known, /the ledger .* and the store of readings .* and the journal/],
  ])(
    'are refused without the %s, and go on where the loss is accepted',
    async (_, present, what, sentence) => {
      await expect(requireStores(contents({ present, known: what }))).rejects.toMatchObject({
        code: 'data_lost',
        message: expect.stringMatching(sentence),
      })
      const accepted = contents({ present, known: what, acceptLoss: true })
      expect(await requireStores(accepted)).toBe(false)
      expect(accepted.aside.length).toBeGreaterThan(0)
    },
  )

  it('may lack the readings where the journal has all of them', async () => {
    const rebuilt = contents({ present: { readings: false } })
    expect(await requireStores(rebuilt)).toBe(false)
    expect(rebuilt.aside).toEqual(['readings'])
  })

  it('are no loss in a new folder, and in one of an earlier version', async () => {
    expect(await requireStores(contents({ present: none, known: undefined }))).toBe(true)
    // a key was made before the first start
    expect(await requireStores(contents({ present: { ...none, ledger: true }, known: undefined }))).toBe(true)
    expect(await requireStores(contents({ present: { journal: false }, known: undefined }))).toBe(false)
  })
})

describe('turns that were acknowledged', () => {
  const lost = { code: 'data_lost' }
  it.each([
    ['the stores have all', { readings: 100, ledger: 100 }, { first: 90, last: 100 }, known, true],
    ['the journal has the rest', { readings: 70, ledger: 95 }, { first: 60, last: 100 }, known, true],
    [
      'the stores have what the journal lacks',
      { readings: 100, ledger: 100 },
      { first: 90, last: 99 },
      known,
      true,
    ],
    [
      'nothing was ever stored',
      { readings: 0, ledger: 0 },
      { first: 1, last: 0 },
      { ...known, journal: 0 },
      true,
    ],
    ['the end of the journal is gone', { readings: 100, ledger: 95 }, { first: 90, last: 99 }, known, false],
    [
      'a store is older than the journal',
      { readings: 50, ledger: 100 },
      { first: 60, last: 100 },
      known,
      false,
    ],
    [
      'the journal is empty, a store has less',
      { readings: 100, ledger: 95 },
      { first: 101, last: 100 },
      known,
      false,
    ],
    [
      'the journal is empty, nobody knows more',
      { readings: 100, ledger: 95 },
      { first: 101, last: 100 },
      undefined,
      false,
    ],
    [
      'the ledger is new, nobody knows why',
      { readings: 100, ledger: 0 },
      { first: 1, last: 100 },
      undefined,
      false,
    ],
  ] as const)('%s', (_, found, span, what, isWhole) => {
    const check = (acceptLoss: boolean) => () =>
      requireTurns(contents({ known: what, acceptLoss }), found, { ...span, cutBytes: 0 })
    if (isWhole) check(false)()
    else expect(check(false)).toThrow(expect.objectContaining(lost))
    check(true)()
  })
})
