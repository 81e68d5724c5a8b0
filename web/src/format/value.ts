import { stateWord } from './words.ts'

const unitLabels: Readonly<Record<string, string>> = {
  degC: '°C',
  'ug/m3': 'µg/m³',
  'W/m2': 'W/m²',
  '1/cm3': '1/cm³',
  'gCO2eq/kWh': 'g CO₂eq/kWh',
  m3: 'm³',
  '1': '',
  state: '',
  raw: '',
}

/** Digits after the point that the usual sensor of a unit deserves. */
const decimals: Readonly<Record<string, number>> = {
  degC: 1,
  '%': 0,
  lx: 0,
  ppm: 0,
  ppb: 0,
  hPa: 1,
  'ug/m3': 1,
  dB: 1,
  V: 1,
  A: 2,
  W: 0,
  VA: 0,
  var: 0,
  Hz: 2,
  lqi: 0,
  dBm: 0,
  '1': 2,
  'm/s': 1,
  'W/m2': 0,
  'gCO2eq/kWh': 0,
  mm: 1,
}

const formats = new Map<number, Intl.NumberFormat>()

/** A unit as people write it: degC -> °C. */
export const unitLabel = (unit: string): string => unitLabels[unit] ?? unit

/** A number with the digits that its unit deserves, in the reader's own notation. */
export function formatNumber(value: number, unit: string): string {
  const digits = decimals[unit] ?? digitsFor(value, unit)
  return numberFormat(unit === 'W' && Math.abs(value) < 10 ? 1 : digits)
    .format(value === 0 ? 0 : value)
    .replace('-', '\u2212')
}

/** A value as it is shown: states become words, everything else number and unit. */
export function formatValue(value: number, unit: string, metric: string): { text: string; unit: string } {
  const word = stateWord(metric, unit, value)
  return word === undefined
    ? { text: formatNumber(value, unit), unit: unitLabel(unit) }
    : { text: word, unit: '' }
}

/** The same in one text. */
export function valueText(value: number, unit: string, metric: string): string {
  const shown = formatValue(value, unit, metric)
  return shown.unit === '' ? shown.text : `${shown.text}\u00a0${shown.unit}`
}

/** A share as per cent: 0.887 -> 88.7 %. */
export const percentText = (share: number, digits = 0): string =>
  `${numberFormat(digits).format(share * 100)}\u00a0%`

/** A relative change with its sign: -0.056 -> −5.6 %. */
export function changeText(change: number): string {
  const sign = change > 0 ? '+' : change < 0 ? '\u2212' : '\u00b1'
  return `${sign}${percentText(Math.abs(change), 1)}`
}

/** Error scores need more digits than values: three that count. */
export function formatScore(value: number): string {
  // what six digits do not show is rounding of the computation
  const score = Math.abs(value) < 5e-7 ? 0 : value
  const magnitude = score === 0 ? 0 : Math.floor(Math.log10(Math.abs(score)))
  return numberFormat(Math.min(6, Math.max(0, 2 - magnitude))).format(score)
}

export const formatCount = (count: number): string => numberFormat(0).format(count)

function digitsFor(value: number, unit: string): number {
  const size = Math.abs(value)
  if (unit === 'kWh') return size >= 100 ? 1 : size >= 10 ? 2 : 3
  return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3
}

/** Formats are costly to make, so they are kept. Digits are fixed: columns stand still as values change. */
function numberFormat(digits: number): Intl.NumberFormat {
  let format = formats.get(digits)
  if (!format) {
    format = new Intl.NumberFormat(undefined, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
    formats.set(digits, format)
  }
  return format
}
