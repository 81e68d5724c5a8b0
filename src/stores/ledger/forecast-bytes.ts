import type { Forecast } from '../../core/event.ts'
import { stepCount } from '../../core/forecast.ts'

/**
 * A logged forecast as bytes: its small facts as JSON, then each column as 16-bit integers with an offset and a scale
 * of its own. A value is off by at most 1/131,068 of its column's range (half a step of range / 65,534); the least value
 * and NaN are exact. A forecast of 168 h (312 steps, mean, baseline and two quantiles) has about 2.7 kB.
 *
 *     u16 length of the JSON, JSON (UTF-8), then for mean, baseline (if named) and each quantile:
 *     f64 offset, f64 scale, u16 x steps (65,535: NaN); numbers in the byte order of the machine
 */
type Head = Pick<Forecast, 'unit' | 'madeAt' | 'model' | 'grid' | 'baselineName'> & {
  readonly levels: readonly number[]
}

/** The facts that are columns of the row. */
export type ForecastPlace = Pick<Forecast, 'target' | 'metric' | 'origin'>

const unknown = 65_535
const codeMax = 65_534

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function forecastBytes(forecast: Forecast): Uint8Array {
  const { unit, madeAt, model, grid, mean, baseline, baselineName, quantiles } = forecast
  const levels = quantiles.map(({ level }) => level)
  const head: Head = {
    ...{ unit, madeAt, model, grid, levels },
    ...(baselineName === undefined ? {} : { baselineName }),
  }
  const text = encoder.encode(JSON.stringify(head))
  const columns = [mean, ...(baseline ? [baseline] : []), ...quantiles.map(({ values }) => values)]
  const bytes = new Uint8Array(2 + text.length + columns.length * (16 + 2 * mean.length))
  bytes.set(new Uint8Array(Uint16Array.of(text.length).buffer))
  bytes.set(text, 2)
  let place = 2 + text.length
  for (const column of columns) {
    const { range, codes } = scaled(column)
    bytes.set(new Uint8Array(range.buffer), place)
    bytes.set(new Uint8Array(codes.buffer), place + 16)
    place += 16 + 2 * column.length
  }
  return bytes
}

export function forecastOfBytes(bytes: Uint8Array, where: ForecastPlace): Forecast {
  // copies, for numbers begin at multiples of their size; a driver may give an ArrayBuffer
  const all = new Uint8Array(bytes)
  const copyOf = (from: number, length: number): ArrayBuffer => all.slice(from, from + length).buffer
  const [length = 0] = new Uint16Array(copyOf(0, 2))
  const { levels, ...head } = JSON.parse(decoder.decode(all.subarray(2, 2 + length))) as Head
  const count = stepCount(head.grid)
  let place = 2 + length
  const next = (): Float64Array => {
    const range = new Float64Array(copyOf(place, 16))
    const codes = new Uint16Array(copyOf(place + 16, 2 * count))
    place += 16 + 2 * count
    return unscaled(range, codes)
  }
  const mean = next()
  const baseline = head.baselineName === undefined ? undefined : next()
  const quantiles = levels.map((level) => ({ level, values: next() }))
  return { kind: 'forecast', ...where, ...head, mean, ...(baseline ? { baseline } : {}), quantiles }
}

function scaled(column: Float64Array): { readonly range: Float64Array; readonly codes: Uint16Array } {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const value of column) {
    if (!Number.isFinite(value)) continue
    if (value < least) least = value
    if (value > most) most = value
  }
  const codes = new Uint16Array(column.length).fill(unknown)
  if (least > most) return { range: Float64Array.of(0, 0), codes }
  // divided before it is subtracted, so that no range overflows
  const scale = most / codeMax - least / codeMax
  for (let step = 0; step < column.length; step++) {
    const value = column[step]!
    if (!Number.isFinite(value)) continue
    codes[step] = scale > 0 ? Math.min(codeMax, Math.round(value / scale - least / scale)) : 0
  }
  return { range: Float64Array.of(least, scale), codes }
}

function unscaled([least = 0, scale = 0]: Float64Array, codes: Uint16Array): Float64Array {
  const column = new Float64Array(codes.length)
  for (let step = 0; step < codes.length; step++) {
    const code = codes[step]!
    // in two parts, so that no range overflows
    const half = Math.min(code, codeMax / 2)
    column[step] = code === unknown ? Number.NaN : least + scale * half + scale * (code - half)
  }
  return column
}
