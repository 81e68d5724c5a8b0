import { hourMs } from '../../src/core/time.ts'
import { createRandom } from '../../src/ml/random.ts'

/** Histories that commands learn from, as files. */

const start = Date.UTC(2026, 0, 5)
const random = createRandom(7)

/** kWh of an hour: a rhythm of the day, more on the weekend, and something that nobody can know. */
const rhythm = (hour: number): number => {
  const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.4 : 0
  return 0.6 + 0.4 * Math.sin((hour % 24) * (Math.PI / 12)) + weekend + 0.05 * Math.sin(hour * 12.9898)
}

/** Every hour by itself: there is nothing to learn but the mean. */
const dice = Float64Array.from({ length: 400 * 24 }, random.next)
const noise = (hour: number): number => dice[hour] ?? 0

const kinds = { rhythm, noise } as const

/** Hours of energy of some devices, as a CSV file. */
export function historyCsv(
  devices: readonly { readonly device: string; readonly kind: keyof typeof kinds; readonly days: number }[],
): string {
  const lines = devices.flatMap(({ device, kind, days }) =>
    Array.from({ length: days * 24 }, (_, hour) => {
      const time = new Date(start + hour * hourMs).toISOString()
      return `${time},${device},energy,${kinds[kind](hour).toFixed(4)},kWh`
    }),
  )
  return `time,device,metric,value,unit\n${lines.join('\n')}\n`
}
