import { describe, expect, it } from 'vitest'
import type { ThresholdRule } from '../../contract/thresholds.ts'
import type { Alert } from '../../core/event.ts'
import type { Reading } from '../../core/reading.ts'
import type { Monitor, Resume } from '../domain.ts'
import { createThresholdMonitor } from './monitor.ts'

const target = { site: 'home', domain: 'thresholds', subject: 'd' }
const stuffy: ThresholdRule = { name: 'stuffy', metric: 'co2', above: 1000, level: 'warning', forSeconds: 60 }
const atOnce: ThresholdRule = { ...stuffy, forSeconds: 0 }

const reading = (seconds: number, value: number, metric = 'co2'): Reading => ({
  site: 'home',
  device: 'd',
  metric,
  unit: 'ppm',
  value,
  at: seconds * 1000,
})

const monitorOf = (rules: readonly ThresholdRule[], resume?: Resume): Monitor =>
  createThresholdMonitor({ target, sources: [] }, rules, resume)

/** What the monitor reports for each reading: `-`, `open` with its start, or `closed`. */
function play(monitor: Monitor, readings: readonly Reading[]): string[] {
  return readings.map((one) => {
    const [alert] = monitor.take(one, one.at)?.alerts ?? []
    if (!alert) return '-'
    return alert.until === undefined ? `open since ${alert.since / 1000}` : `closed at ${alert.until / 1000}`
  })
}

describe('a threshold', () => {
  it('opens one alert after its time and closes it once', () => {
    const readings = [
      reading(0, 900),
      reading(10, 1200),
      reading(60, 1300),
      reading(70, 1300),
      reading(80, 1400),
      reading(90, 900),
      reading(100, 900),
    ]
    expect(play(monitorOf([stuffy]), readings)).toEqual([
      ...['-', '-', '-', 'open since 10', '-', 'closed at 90', '-'],
    ])
  })

  it('begins anew when the condition was interrupted', () => {
    const readings = [
      reading(0, 1200),
      reading(50, 900),
      reading(55, 1200),
      reading(100, 1200),
      reading(115, 1200),
    ]
    expect(play(monitorOf([stuffy]), readings)).toEqual(['-', '-', '-', '-', 'open since 55'])
  })

  it('ignores other metrics of the device', () => {
    expect(play(monitorOf([atOnce]), [reading(0, 5000, 'tvoc')])).toEqual(['-'])
  })

  it('watches the lower side as well, and reports what was measured', () => {
    const monitor = monitorOf([{ name: 'cold', metric: 'co2', below: 5, level: 'info', forSeconds: 0 }])
    expect(monitor.take(reading(0, 4), 0)?.alerts).toMatchObject([
      { level: 'info', target, device: 'd', metric: 'co2', message: 'co2 of d is 4 ppm, below 5' },
    ])
    expect(monitor.take(reading(1, 5), 0)?.alerts).toMatchObject([{ until: 1000 }])
  })
})

describe('the message of a threshold', () => {
  it.each([
    ['door', 'state', 1, 'door of d is open'],
    ['smoke', 'state', 1, 'smoke of d is detected'],
    ['valve', 'state', 1, 'valve of d is on'],
    ['valve', 'state', 2, 'valve of d is 2, above 0'],
    ['people', 'raw', 3, 'people of d is 3, above 0'],
    ['share', '1', 0.5, 'share of d is 0.5, above 0'],
  ])('names %s in %s of %f as people do', (metric, unit, value, message) => {
    const monitor = monitorOf([{ name: 'any', metric, above: 0, level: 'info', forSeconds: 0 }])
    const [alert] = monitor.take({ ...reading(0, value, metric), unit }, 0)?.alerts ?? []
    expect(alert?.message).toBe(message)
  })
})

describe('a threshold after a restart', () => {
  const open = monitorOf([atOnce]).take(reading(0, 1200), 0)?.alerts as Alert[]

  it('closes an alert that was open, and does not open it twice', () => {
    const monitor = monitorOf([atOnce], { open })
    expect(play(monitor, [reading(10, 1300), reading(20, 900)])).toEqual(['-', 'closed at 20'])
  })

  it('goes on counting the time of a condition from its saved state', () => {
    const before = monitorOf([stuffy])
    before.take(reading(0, 1200), 0)
    const saved: unknown = JSON.parse(JSON.stringify(before.save?.()))
    expect(play(monitorOf([stuffy], { saved, open: [] }), [reading(60, 1200)])).toEqual(['open since 0'])
  })

  it('saves nothing while no condition holds', () => {
    const monitor = monitorOf([atOnce])
    play(monitor, [reading(0, 1200), reading(1, 900)])
    expect(monitor.save?.()).toBeUndefined()
  })

  it('forgets the condition of a rule that left the configuration', () => {
    expect(monitorOf([stuffy], { open: [{ ...open[0]!, rule: 'gone' }] }).save?.()).toBeUndefined()
  })
})
