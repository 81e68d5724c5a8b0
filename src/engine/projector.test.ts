import { describe, expect, it } from 'vitest'
import { framesAfter, turn, valuesOf } from '../../test/conformance/journal.ts'
import { alert, site } from '../../test/conformance/ledger-samples.ts'
import { reading } from '../../test/conformance/reading-samples.ts'
import { VirtualClock } from '../../test/virtual-clock.ts'
import type { Journal, JournalEntry } from '../core/journal.ts'
import type { Ledger, ReadingStore } from '../core/ports.ts'
import { emptyFacts } from '../core/turn.ts'
import { createMemoryJournal } from '../stores/journal/memory.ts'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { createMemoryReadings } from '../stores/readings/memory.ts'
import { projectedLedger, projectedReadings } from './projected.ts'
import { Projector } from './projector.ts'

/** Stores and a journal that outlive projectors, each of which can fail. */
function createWorld({ isReleased = false } = {}) {
  const clock = new VirtualClock(1_000_000)
  const failing = { append: false, record: false, journal: false }
  const appended: number[] = []
  const recorded: number[] = []
  const memory = {
    readings: createMemoryReadings(),
    ledger: createMemoryLedger(),
    journal: createMemoryJournal(),
  }
  const readings: ReadingStore = {
    ...memory.readings,
    async append(rows, position) {
      if (failing.append) throw new Error('no space left')
      appended.push(rows.length)
      await memory.readings.append(rows, position)
    },
  }
  const ledger = memory.ledger
  const record = ledger.record.bind(ledger)
  ledger.record = async (facts, position) => {
    if (failing.record) throw new Error('no space left')
    recorded.push(facts.alerts.length)
    await record(facts, position)
  }
  const journal: Journal = {
    ...memory.journal,
    get releasable() {
      return isReleased ? memory.journal.releasable : 0
    },
    append: (...args) =>
      failing.journal ? Promise.reject(new Error('no space left')) : memory.journal.append(...args),
    makeRoom: async () => {
      if (failing.journal) throw new Error('no space left')
    },
  }
  const logged: string[] = []
  const note = (message: string): void => void logged.push(message)
  const log = { info: note, warn: note, error: note }
  const start = async (options = {}): Promise<Projector> => {
    const projector = new Projector(
      { journal, readings, ledger, clock, log },
      { journalLagBytes: 1 << 20, journalKeptMs: 0, ...options },
    )
    await projector.open()
    return projector
  }
  const stored = async (): Promise<number[]> => (await readings.read({}, 1000)).map(({ value }) => value)
  return { clock, failing, appended, recorded, readings, ledger, journal, logged, start, stored, memory }
}

/** Turn number `value`, with one reading of its own. */
const numbered = (value: number) => turn(value, [reading({ value, at: value })])
const withAlert = (value: number): JournalEntry => ({
  ...numbered(value),
  facts: { ...emptyFacts, alerts: [alert({ since: value })] },
})

describe('projector: a commit', () => {
  it('is durable before the stores have it, and in them a quarter of a second later', async () => {
    const { clock, start, stored } = createWorld()
    const projector = await start()
    await projector.commit(numbered(1))
    expect([await stored(), projector.lag.frames]).toEqual([[], 1])
    await clock.advance(250)
    expect([await stored(), projector.lag]).toEqual([[1], { frames: 0, bytes: 0 }])
    await projector.close()
  })

  it('goes into the stores with those around it, and costs a store nothing that it does not concern', async () => {
    const { clock, start, appended, recorded } = createWorld()
    const projector = await start()
    for (let value = 1; value <= 100; value++)
      await projector.commit(value === 50 ? withAlert(value) : numbered(value))
    await clock.advance(250)
    expect([appended, recorded]).toEqual([[100], [1]])
    for (let value = 101; value <= 110; value++) await projector.commit(numbered(value))
    await clock.advance(250)
    expect([appended, recorded]).toEqual([[100, 10], [1]])
    await projector.close()
  })

  it('does not wait where many readings have come in', async () => {
    const { clock, start, stored } = createWorld()
    const projector = await start()
    await projector.commit(
      turn(
        1,
        Array.from({ length: 20_000 }, (_, at) => reading({ at, value: at })),
      ),
    )
    await clock.advance(0)
    // a page of the store
    expect(await stored()).toHaveLength(1000)
    await projector.close()
  })

  it('is in every read that begins after it', async () => {
    const { start, readings, ledger } = createWorld()
    const projector = await start()
    const flush = (): Promise<void> => projector.flush()
    const reads = projectedReadings(readings, flush)
    await projector.commit(withAlert(7))
    expect((await reads.read({}, 10)).map(({ value }) => value)).toEqual([7])
    await projector.commit(withAlert(8))
    expect(await projectedLedger(ledger, flush).alerts({}, 10)).toHaveLength(2)
    await projector.commit(numbered(9))
    const columns = []
    for await (const part of reads.scan(reading(), 0, 100)) columns.push(...part.value)
    expect(columns).toEqual([7, 8, 9])
    await projector.close()
  })

  it('that a store will never take holds up neither those behind it nor the next start', async () => {
    const { start, clock, stored, ledger, logged, memory } = createWorld()
    const wrong: JournalEntry = {
      ...numbered(1),
      facts: { ...emptyFacts, alerts: [alert({ value: Number.NaN })] },
    }
    const projector = await start()
    await projector.commit(wrong)
    await projector.commit(withAlert(2))
    await clock.advance(250)
    expect([await stored(), projector.lag.frames, projector.refused]).toEqual([[1, 2], 0, 1])
    expect(projector.problem).toBeUndefined()
    expect(logged).toContain('A store refuses a part of a turn; it is in quarantine.')
    await projector.close()
    await memory.journal.append(wrong, 5)
    const next = await start()
    expect([await ledger.alerts({}, 9), await ledger.quarantined(9)]).toMatchObject([
      [{ since: 2 }],
      [{}, {}],
    ])
    await next.close()
  })

  it('is followed by direct changes, and never replaces them', async () => {
    const { start, ledger } = createWorld()
    const projector = await start()
    const direct = projectedLedger(ledger, () => projector.flush())
    await projector.commit({
      ...numbered(1),
      facts: { ...emptyFacts, sites: [site('home', { name: 'first seen' })] },
    })
    await direct.putSites([site('home', { name: 'renamed' })])
    await projector.close()
    expect(await ledger.sites()).toEqual([site('home', { name: 'renamed' })])
  })
})

describe('projector: every frame reaches each store once', () => {
  it('after a stop between the two stores', async () => {
    const { clock, failing, start, stored, ledger } = createWorld()
    const first = await start()
    failing.record = true
    await first.commit(withAlert(1))
    await clock.advance(250)
    const closing = first.close()
    await clock.advance(10_000)
    await closing
    expect([await stored(), await ledger.alerts({}, 10)]).toEqual([[1], []])
    failing.record = false
    // an empty store shows that nothing is appended again
    const second = await start()
    expect([await stored(), (await ledger.alerts({}, 10)).length]).toEqual([[1], 1])
    await second.close()
  })

  it('after a kill before anything was projected', async () => {
    const { start, stored, appended } = createWorld()
    const first = await start()
    for (const value of [1, 2, 3]) await first.commit(numbered(value))
    const second = await start()
    expect([await stored(), appended]).toEqual([[1, 2, 3], [3]])
    await second.commit(numbered(4))
    await second.close()
    const third = await start()
    expect([await stored(), appended]).toEqual([
      [1, 2, 3, 4],
      [3, 1],
    ])
    await third.close()
  })

  it('with the removal of a site in its place', async () => {
    const { clock, start, stored } = createWorld()
    const first = await start()
    await first.commit(numbered(1))
    await first.commit({ kind: 'site-removed', site: 'home' })
    await first.commit(numbered(2))
    await clock.advance(250)
    expect(await stored()).toEqual([2])
    await first.close()
    const again = await start()
    expect(await stored()).toEqual([2])
    await again.close()
  })
})

describe('projector: stores that fail', () => {
  it('get everything once they work again, and reads go on meanwhile', async () => {
    const { clock, failing, start, stored, readings, logged } = createWorld()
    const projector = await start()
    await projector.commit(numbered(1))
    await clock.advance(250)
    failing.append = true
    await projector.commit(numbered(2))
    await clock.advance(250)
    expect(projector.problem).toContain('the stores cannot be written: Error: no space left')
    expect(logged.filter((message) => message.includes('could not take'))).toHaveLength(1)
    // not held up by what cannot be written
    const reads = projectedReadings(readings, () => projector.flush())
    expect((await reads.read({}, 10)).map(({ value }) => value)).toEqual([1])
    await projector.commit(numbered(3))
    failing.append = false
    await clock.advance(2000)
    expect([await stored(), projector.problem]).toEqual([[1, 2, 3], undefined])
    expect(logged.at(-1)).toBe('The stores take what is in the journal again.')
    await projector.close()
  })

  it('hold commits while the lag is full', async () => {
    const { clock, start, stored } = createWorld()
    const projector = await start({ journalLagBytes: 1 })
    await projector.commit(numbered(1))
    let isDone = false
    const second = projector.commit(numbered(2)).then(() => {
      isDone = true
    })
    await clock.advance(249)
    expect(isDone).toBe(false)
    await clock.advance(1)
    await second
    await projector.close()
    expect(await stored()).toEqual([1, 2])
  })

  it('refuse commits while the lag is full, and take them again without being asked', async () => {
    const { clock, failing, start, stored } = createWorld()
    const projector = await start({ journalLagBytes: 1 })
    failing.append = true
    await projector.commit(numbered(1))
    const second = expect(projector.commit(numbered(2))).rejects.toThrow(
      'could not be stored: Error: no space left',
    )
    await clock.advance(250)
    await second
    await expect(projector.commit(numbered(3))).rejects.toThrow('no space left')
    failing.append = false
    await clock.advance(2000)
    expect(projector.problem).toBeUndefined()
    await projector.commit(numbered(4))
    await projector.close()
    expect(await stored()).toEqual([1, 4])
  })

  it('do not keep the hub from stopping: the next start projects the rest', async () => {
    const { clock, failing, start, stored } = createWorld()
    const first = await start()
    failing.append = true
    await first.commit(numbered(1))
    const closing = first.close()
    await clock.advance(10_000)
    await closing
    failing.append = false
    const second = await start()
    expect(await stored()).toEqual([1])
    await second.close()
  })
})

describe('projector: a journal that fails', () => {
  it('makes the hub unready until it can be written again, also when nobody sends', async () => {
    const { clock, failing, start, logged } = createWorld()
    const projector = await start()
    failing.journal = true
    await expect(projector.commit(numbered(1))).rejects.toMatchObject({
      code: 'store_failed',
      message: 'The readings could not be stored: Error: no space left.',
    })
    expect(projector.problem).toContain('the journal cannot be written')
    await clock.advance(5000)
    expect(projector.problem).toContain('the journal cannot be written')
    failing.journal = false
    await clock.advance(1000)
    expect(projector.problem).toBeUndefined()
    expect(logged).toEqual([
      'The journal cannot be written; readings are refused until it can.',
      'The journal can be written again.',
    ])
    await projector.close()
  })

  it('does not keep the hub from starting: it is not ready until the journal takes frames', async () => {
    const { clock, failing, start, stored } = createWorld()
    failing.journal = true
    const projector = await start()
    expect(projector.problem).toBe('the journal cannot be written: Error: no space left')
    failing.journal = false
    await clock.advance(1000)
    expect(projector.problem).toBeUndefined()
    await projector.commit(numbered(1))
    await projector.close()
    expect(await stored()).toEqual([1])
  })

  it('is closed also where the positions of the stores cannot be written any more', async () => {
    const { clock, failing, start, journal } = createWorld()
    const projector = await start()
    await projector.commit(numbered(1))
    await clock.advance(250)
    failing.record = true
    let isClosed = false
    journal.close = async () => {
      isClosed = true
    }
    await expect(projector.close()).rejects.toThrow('no space left')
    expect(isClosed).toBe(true)
  })
})

describe('projector: frames that both stores have', () => {
  it('are released with the next projection where it could not be done at once', async () => {
    const { clock, failing, start, journal, logged } = createWorld()
    Object.defineProperty(journal, 'releasable', { value: 1 })
    const projector = await start()
    failing.record = true
    await projector.commit(numbered(1))
    await clock.advance(250)
    expect(logged).toEqual(['Old parts of the journal could not be removed.'])
    expect(valuesOf(await framesAfter(journal, 0))).toEqual([1])
    failing.record = false
    await projector.commit(numbered(2))
    await clock.advance(250)
    expect(valuesOf(await framesAfter(journal, 0))).toEqual([2])
    await projector.close()
  })

  it('are released with the positions on disk, and kept as long as they are to be', async () => {
    for (const [journalKeptMs, left] of [
      [0, []],
      [60_000, [2]],
    ] as const) {
      const { clock, start, journal, readings, ledger } = createWorld({ isReleased: true })
      const projector = await start({ journalKeptMs })
      await projector.commit(numbered(1))
      await clock.advance(61_000)
      await projector.commit(numbered(2))
      await clock.advance(250)
      expect([await readings.position(), await ledger.position()]).toEqual([2, 2])
      expect(valuesOf(await framesAfter(journal, 0))).toEqual(left)
      await projector.close()
    }
  })
})

describe('projector: what is missing at the start is told to people', () => {
  const summaries = async (ledger: Ledger): Promise<string[]> =>
    (await ledger.notes.infos({}, 10)).map(({ summary }) => summary)

  it('nothing, usually', async () => {
    const { start, ledger, logged } = createWorld()
    const first = await start()
    await first.commit(withAlert(1))
    await (await start()).close()
    expect(await summaries(ledger)).toEqual([])
    expect(logged).toEqual(['The journal was replayed into the stores.'])
  })

  it('a journal that is gone', async () => {
    const { start, ledger } = createWorld()
    const first = await start()
    await first.commit(withAlert(1))
    await first.close()
    const other = createWorld()
    const second = new Projector(
      {
        ...other,
        journal: createMemoryJournal(),
        ledger,
        log: { info: silent, warn: silent, error: silent },
      },
      { journalLagBytes: 1, journalKeptMs: 0 },
    )
    await second.open()
    expect(await summaries(ledger)).toEqual(['The journal is missing.'])
    await second.close()
  })

  it.each([
    ['readings', 'The store of readings was missing.'],
    ['ledger', 'The ledger was missing.'],
  ] as const)('a store that is gone: %s', async (name, summary) => {
    const { start, clock, journal, readings, ledger } = createWorld()
    const first = await start({ journalKeptMs: 3_600_000 })
    await first.commit(withAlert(1))
    await first.close()
    const fresh = {
      readings: name === 'readings' ? createMemoryReadings() : readings,
      ledger: name === 'ledger' ? createMemoryLedger() : ledger,
    }
    const second = new Projector(
      { journal, clock, log: { info: silent, warn: silent, error: silent }, ...fresh },
      { journalLagBytes: 1, journalKeptMs: 3_600_000 },
    )
    await second.open()
    expect(await summaries(fresh.ledger)).toEqual([summary])
    expect(await fresh.readings.read({}, 10)).toHaveLength(1)
    expect(await fresh.ledger.alerts({}, 10)).toHaveLength(1)
    await second.close()
  })

  it('a store that is older than the journal reaches back', async () => {
    const { start, clock, journal, ledger } = createWorld()
    const first = await start()
    for (const value of [1, 2, 3]) await first.commit(withAlert(value))
    await first.close()
    await journal.release(2, Number.POSITIVE_INFINITY)
    await journal.append(numbered(4), 5)
    const readings = createMemoryReadings()
    const second = new Projector(
      { journal, clock, readings, ledger, log: { info: silent, warn: silent, error: silent } },
      { journalLagBytes: 1, journalKeptMs: 0 },
    )
    await second.open()
    expect(await summaries(ledger)).toEqual(['The store of readings is missing or too old.'])
    await second.close()
  })
})

const silent = (): void => undefined
