import { valueText } from '../format/value.ts'
import type { Live } from '../live/merge.ts'

export interface PowerNow {
  readonly watts: number
  readonly label: string
  readonly note: string
}

/** Ids of meters that already hold the sum of the others. */
const wholeHouse = /(^|[^a-z])(main|mains|grid|house|home|total|whole|aggregate|smart[_ -]?meter)([^a-z]|$)/i

/**
 * What the home draws now, said only where it means something: the grid meter where there is one, else a meter of
 * the whole house, else the sum of the single meters, called that. `live` holds fresh readings of one site,
 * `nameOf` the names of its devices.
 */
export function powerNow(live: readonly Live[], nameOf: (device: string) => string): PowerNow | undefined {
  const watts = live.map(({ reading }) => reading).filter(({ unit }) => unit === 'W')
  const solar = watts.filter(({ metric }) => metric === 'pv_power')
  const grid = watts.filter(({ metric }) => metric === 'grid_power')
  if (grid.length > 0) {
    const sum = total(grid)
    return {
      watts: Math.abs(sum),
      label: sum < 0 ? 'To the grid' : 'From the grid',
      note:
        solar.length > 0
          ? `while the sun gives ${valueText(total(solar), 'W', 'pv_power')}`
          : 'measured at the meter',
    }
  }
  const meters = watts.filter(({ metric }) => metric === 'power')
  const main = meters.filter(({ device }) => wholeHouse.test(device))
  if (main[0] && main.length === 1) {
    return { watts: main[0].value, label: 'Power now', note: `measured by ${nameOf(main[0].device)}` }
  }
  if (meters.length === 0) return undefined
  const note = meters.length === 1 ? 'one meter' : `sum of ${meters.length} single meters`
  return { watts: total(meters), label: 'Measured power', note }
}

const total = (readings: readonly { readonly value: number }[]): number =>
  readings.reduce((sum, { value }) => sum + value, 0)
