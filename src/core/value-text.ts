/** Words of the states 1 and 0, by metric. */
const states: Readonly<Record<string, readonly [one: string, zero: string]>> = {
  motion: ['detected', 'clear'],
  smoke: ['detected', 'clear'],
  door: ['open', 'closed'],
  window_open: ['open', 'closed'],
  occupied: ['occupied', 'empty'],
}

/** Units of numbers that people write without one. */
const unitless: ReadonlySet<string> = new Set(['state', 'raw', '1', ''])

/** The word of a state, such as "open"; undefined for a quantity, and for a state that is neither 0 nor 1. */
export function stateText(value: number, unit: string, metric: string): string | undefined {
  if (unit !== 'state' || (value !== 0 && value !== 1)) return undefined
  const [one, zero] = Object.hasOwn(states, metric) ? states[metric]! : ['on', 'off']
  return value === 1 ? one : zero
}

/** A value in a sentence: "open", "1500 ppm", or the number alone where it has no unit. */
export const valueText = (value: number, unit: string, metric: string): string =>
  stateText(value, unit, metric) ?? (unitless.has(unit) ? String(value) : `${value} ${unit}`)
