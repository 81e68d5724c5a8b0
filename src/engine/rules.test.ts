import { describe, expect, it } from 'vitest'
import type { Reading } from '../core/reading.ts'
import { Rules, type ThresholdRule } from './rules.ts'

const at = (seconds: number, value: number, device = 'd'): Reading => ({
  site: 'home',
  device,
  metric: 'co2',
  unit: 'ppm',
  value,
  at: seconds * 1000,
})
const stuffy: ThresholdRule = { name: 'stuffy', metric: 'co2', above: 1000, level: 'warning', forSeconds: 60 }

/** What the rule says of each reading: nothing, `open` with its start, or `close`. */
function play(rules: Rules, readings: readonly Reading[]): string[] {
  let newest = Number.NEGATIVE_INFINITY
  return readings.map((reading) => {
    newest = Math.max(newest, reading.at)
    const [alert] = rules.check(reading, newest)
    if (!alert) return '-'
    return alert.until === undefined ? `open since ${alert.since / 1000}` : `closed at ${alert.until / 1000}`
  })
}

describe('a threshold rule', () => {
  it('opens once after its time and closes once', () => {
    const said = play(new Rules([stuffy]), [
      at(0, 900),
      at(10, 1200),
      at(60, 1300),
      at(70, 1300),
      at(80, 1400),
      at(90, 900),
      at(100, 900),
    ])
    expect(said).toEqual(['-', '-', '-', 'open since 10', '-', 'closed at 90', '-'])
  })

  it('begins anew when the condition was interrupted', () => {
    const said = play(new Rules([stuffy]), [
      at(0, 1200),
      at(50, 900),
      at(55, 1200),
      at(100, 1200),
      at(115, 1200),
    ])
    expect(said).toEqual(['-', '-', '-', '-', 'open since 55'])
  })

  it('leaves a late reading out', () => {
    expect(play(new Rules([{ ...stuffy, forSeconds: 0 }]), [at(10, 900), at(5, 2000)])).toEqual(['-', '-'])
  })

  it('keeps series apart', () => {
    const rules = new Rules([{ ...stuffy, forSeconds: 0 }])
    expect(play(rules, [at(0, 1200, 'a'), at(1, 1200, 'b')])).toEqual(['open since 0', 'open since 1'])
  })

  it('watches the lower side as well, and says what it saw', () => {
    const rules = new Rules([{ name: 'cold', metric: 'co2', below: 5, level: 'info', forSeconds: 0 }])
    expect(rules.check(at(0, 4), 0)).toMatchObject([{ level: 'info', message: 'co2 of d is 4 ppm, below 5' }])
    expect(rules.check(at(1, 5), 1000)).toMatchObject([{ until: 1000 }])
  })

  it('takes up an open alert after a restart: closes it, and does not open it twice', () => {
    const before = new Rules([{ ...stuffy, forSeconds: 0 }])
    const open = before.check(at(0, 1200), 0)
    const after = new Rules([{ ...stuffy, forSeconds: 0 }])
    after.restore(open)
    expect(play(after, [at(10, 1300), at(20, 900)])).toEqual(['-', 'closed at 20'])
  })
})
