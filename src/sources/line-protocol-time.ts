/** Units of the timestamps of a request, as InfluxDB names them. */
const nanosByPrecision: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['n', 1],
  ['us', 1e3],
  ['u', 1e3],
  ['µ', 1e3],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
])

/** Nanoseconds of a unit, such as 1e6 for `ms`; undefined for a unit that InfluxDB does not know. */
export const nanosOf = (precision: string): number | undefined => nanosByPrecision.get(precision)

/** A moment since 1970: `at` whole ms, rounded down, and `nanos` (0 to 999,999) of the ms. */
export interface Moment {
  readonly at: number
  readonly nanos: number
}

/** The latest moment in 64-bit nanoseconds. */
const last = { ms: 9_223_372_036_854, nanos: 775_807 }

/**
 * The moment of a timestamp in `bytes[from..to)`, in units of `unitNanos`. Undefined where it is no integer or lies
 * outside of 64-bit nanoseconds.
 */
export function parseMoment(
  bytes: Uint8Array,
  from: number,
  to: number,
  unitNanos: number,
): Moment | undefined {
  const isNegative = bytes[from] === 45
  let start = isNegative ? from + 1 : from
  if (start === to) return undefined
  while (to - start > 19 && bytes[start] === 48) start++
  if (to - start > 19) return undefined
  // digits of the number that make up whole ms, and those of the part of a ms
  const split = Math.max(start, to - (unitNanos === 1 ? 6 : unitNanos === 1e3 ? 3 : 0))
  const whole = digits(bytes, start, split)
  const part = digits(bytes, split, to) * unitNanos
  if (Number.isNaN(whole + part)) return undefined
  const ms = unitNanos > 1e6 ? whole * (unitNanos / 1e6) : whole
  const nanos = split === to ? 0 : part
  if (ms > last.ms || (ms === last.ms && nanos > last.nanos + Number(isNegative))) return undefined
  if (!isNegative) return { at: ms, nanos }
  return nanos === 0 ? { at: 0 - ms, nanos: 0 } : { at: -ms - 1, nanos: 1e6 - nanos }
}

/** NaN where one of them is no digit. Beyond 2^53 inexact, which is out of every range here. */
function digits(bytes: Uint8Array, from: number, to: number): number {
  let number = 0
  for (let index = from; index < to; index++) {
    const digit = bytes[index]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

/** The same moment as one number of nanoseconds. */
export const nanosecondsOf = ({ at, nanos }: Moment): bigint => BigInt(at) * 1_000_000n + BigInt(nanos)
