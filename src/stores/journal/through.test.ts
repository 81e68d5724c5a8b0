import { describe, expect, it } from 'vitest'
import { examineJournal, turn, wholeTurn } from '../../../test/conformance/journal.ts'
import { createMemoryLedger } from '../ledger/memory.ts'
import { createMemoryReadings } from '../readings/memory.ts'
import { createThroughJournal } from './through.ts'

const create = () => {
  const [readings, ledger] = [createMemoryReadings(), createMemoryLedger()]
  return { readings, ledger, journal: createThroughJournal({ readings, ledger }) }
}

examineJournal({
  name: 'through',
  create: async () => create().journal,
  keepsNothing: 'what is appended is in the stores, and nowhere else',
})

describe('through: an append', () => {
  it('writes both stores', async () => {
    const { readings, ledger, journal } = create()
    expect(await journal.append(wholeTurn, 1)).toBeUndefined()
    expect(await readings.series()).toHaveLength(3)
    expect(await ledger.alerts({}, 10)).toEqual(wholeTurn.facts.alerts)
  })

  it('erases a site', async () => {
    const { readings, journal } = create()
    await journal.append(turn(1), 1)
    await journal.append({ kind: 'site-removed', site: 'home' }, 2)
    expect(await readings.series()).toEqual([])
  })

  it('that is tried again records nothing twice', async () => {
    const { readings, ledger, journal } = create()
    const { append } = readings
    readings.append = async () => {
      throw new Error('disk full')
    }
    await expect(journal.append(wholeTurn, 1)).rejects.toThrow('disk full')
    readings.append = append
    await journal.append(wholeTurn, 1)
    expect(await ledger.quarantined(10)).toHaveLength(1)
  })
})
