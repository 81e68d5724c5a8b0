import type { RawReading } from '../../src/core/reading.ts'
import { dayMs, hourMs, minuteMs } from '../../src/core/time.ts'
import { createRandom } from '../../src/ml/random.ts'

/** A made home on which a year leaves its marks: a meter that counts, and a clamp that measures watts. */

/** A Monday. */
export const start = Date.UTC(2026, 0, 5)
export const days = 365

/** What happens, in days since the start; spans are half-open. */
export const events = {
  meterReplaced: 100,
  holiday: [150, 164],
  clampStuck: [200, 205],
  clampOnWrongWire: [240, 270],
} as const

const within = (at: number, [from, to]: readonly [number, number]): boolean =>
  at >= start + from * dayMs && at < start + to * dayMs

/** kWh of an hour. Every other day is a heating day, which no naive forecast knows. */
function usualKwh(at: number, seed: number): number {
  const hours = Math.floor((at - start) / hourMs)
  const day = Math.floor(hours / 24)
  const heating = (day + seed) % 2 === 0 ? 0.5 : 0
  const rhythm = 0.6 + 0.4 * Math.sin(((hours % 24) - 6) * (Math.PI / 12))
  const season = 1 + 0.3 * Math.cos((day / 365) * 2 * Math.PI)
  return Math.max(0, season * (rhythm + heating) * (1 + 0.1 * createRandom(seed * 100_000 + hours).normal()))
}

const meterKwh = (at: number): number => (within(at, events.holiday) ? 0.1 : 1) * usualKwh(at, 1)

function clampWatts(at: number): number {
  if (within(at, events.clampStuck)) return 815
  if (!within(at, events.clampOnWrongWire)) return 1000 * usualKwh(at, 2)
  // another circuit: larger, at other times, without the rhythm of two days
  const hours = Math.floor((at - start) / hourMs)
  return 2500 * Math.max(0, 1 + Math.sin(hours * 0.7) + 0.8 * createRandom(hours).normal())
}

/** As such devices tell it: to the Wh, to a tenth of a watt. The same on every machine, whatever its last bits. */
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

/** What both send in the `hours` after `from`, one span after the other. */
export function createHome(): (from: number, hours: number) => Partial<RawReading>[] {
  let counter = 4000
  return (from, hours) =>
    Array.from({ length: hours }, (_, index) => from + index * hourMs).flatMap((at) => {
      if (at === start + events.meterReplaced * dayMs) counter = 0
      const total = { device: 'meter', metric: 'energy_total', unit: 'kWh', value: rounded(counter, 3), at }
      counter += meterKwh(at)
      const watts = [0, 15, 30, 45].map((past) => {
        return {
          device: 'clamp',
          metric: 'power',
          unit: 'W',
          value: rounded(clampWatts(at), 1),
          at: at + past * minuteMs,
        }
      })
      return [total, ...watts]
    })
}
