import { describe, expect, it } from 'vitest'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import { ImportHolds } from './import-holds.ts'

function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  const ended: string[][] = []
  const holds = new ImportHolds(clock, { imports: 3, importSilentMs: 60_000 }, (targets) => {
    ended.push(targets.map(({ subject }) => subject))
  })
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms)
    for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
  }
  const touch = (site: string, subject: string): void => holds.touch({ site, domain: 'energy', subject })
  return { holds, ended, pass, touch }
}

describe('ImportHolds', () => {
  it('names the targets whose history came in while their site was imported to, each once', () => {
    const { holds, ended, touch } = setUp()
    touch('home', 'before')
    const { id } = holds.begin(['home'], 'Ada')
    touch('home', 'meter')
    touch('home', 'meter')
    touch('barn', 'pump')
    holds.end(id)
    expect(ended).toEqual([['meter']])
    holds.end(holds.begin(['home'], 'Ada').id)
    expect(ended).toEqual([['meter'], []])
  })

  it('keeps an import as long as it is announced, and ends it when it falls silent', async () => {
    const { holds, ended, pass, touch } = setUp()
    const { id } = holds.begin(['home'], 'Ada')
    touch('home', 'meter')
    for (let minute = 0; minute < 5; minute++) {
      await pass(50_000)
      holds.renew(id, ['barn'])
    }
    expect(holds.all()).toMatchObject([{ id, sites: ['home', 'barn'], by: 'Ada' }])
    await pass(59_000)
    expect(holds.holds('home')).toBe(true)
    await pass(1_000)
    expect(holds.holds('home')).toBe(false)
    expect(ended).toEqual([['meter']])
    expect(() => holds.renew(id, ['home'])).toThrow(/no running import/)
  })

  it('forgets the targets of a site that is removed', () => {
    const { holds, ended, touch } = setUp()
    const { id } = holds.begin(['home'], 'Ada')
    touch('home', 'meter')
    holds.removeSite('home')
    holds.end(id)
    expect(ended).toEqual([[]])
  })
})
