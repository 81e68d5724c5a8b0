/**
 * Numbers as InfluxDB's reference decoder (github.com/influxdata/line-protocol/v2) reads them, which leaves them to Go's
 * strconv: decimal and hexadecimal floats with underscores between digits, 64-bit integers.
 */

const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

/** Exact: a number while it is a safe integer, a bigint beyond. Undefined where the text is no 64-bit integer. */
export function parseInteger(text: string, signed: boolean): number | bigint | undefined {
  if (!(signed ? /^-?\d+$/ : /^\d+$/).test(text)) return undefined
  const exact = BigInt(text)
  if (signed ? exact > int64Max || exact < -int64Max - 1n : exact > uint64Max) return undefined
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}

const decimal = /^-?(?=\.?\d)[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d[\d_]*)?$/
const misplaced = /(?<!\d)_|_(?!\d)/
const hexadecimal = /^(-?)0[xX]([\da-fA-F_]*)(?:\.([\da-fA-F_]*))?[pP]([+-]?\d[\d_]*)$/
const misplacedInHexadecimal = /(?<![\da-fA-FxX])_|_(?![\da-fA-F])/

/** Undefined where the text is no float, or one that is not finite. Of signs only a minus is known. */
export function parseFloat64(text: string): number | undefined {
  const number = decimal.test(text) ? ofDecimal(text) : ofHexadecimal(text)
  return number !== undefined && Number.isFinite(number) ? number : undefined
}

function ofDecimal(text: string): number | undefined {
  if (!text.includes('_')) return Number(text)
  return misplaced.test(text) ? undefined : Number(text.replaceAll('_', ''))
}

function ofHexadecimal(text: string): number | undefined {
  const match = hexadecimal.exec(text)
  if (!match || misplacedInHexadecimal.test(text)) return undefined
  const [sign, whole, fraction, power] = match.slice(1).map((part) => part?.replaceAll('_', '') ?? '')
  const digits = `${whole}${fraction}`
  if (digits === '') return undefined
  const exponent = Number(power) - 4 * (fraction?.length ?? 0)
  const number = scaled(BigInt(`0x${digits}`), exponent)
  return sign === '-' ? -number : number
}

/** mantissa * 2^exponent, rounded once, half to even. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0
  const length = mantissa.toString(2).length
  if (length + exponent > 1024) return Number.POSITIVE_INFINITY
  // a double keeps 53 bits, and none below 2^-1074
  const dropped = Math.max(length - 53, -1074 - exponent)
  if (dropped <= 0) return Number(mantissa) * 2 ** exponent
  if (dropped > length) return 0
  const kept = mantissa >> BigInt(dropped)
  const rest = mantissa - (kept << BigInt(dropped))
  const half = 1n << BigInt(dropped - 1)
  const isUp = rest > half || (rest === half && (kept & 1n) === 1n)
  return Number(isUp ? kept + 1n : kept) * 2 ** (exponent + dropped)
}
