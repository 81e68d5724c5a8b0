import { knownMetrics, toCanonical } from '../../core/units.ts'

/** Units in words and in other spellings, lower case, without accents. */
const words: Readonly<Record<string, string>> = {
  ...{ wh: 'Wh', whs: 'Wh', 'watt hour': 'Wh', 'watt hours': 'Wh', wattheures: 'Wh', wattstunden: 'Wh' },
  ...{
    kwh: 'kWh',
    kwhs: 'kWh',
    'kw h': 'kWh',
    'kw/h': 'kWh',
    kw·h: 'kWh',
    'kw*h': 'kWh',
    kilowattheures: 'kWh',
  },
  ...{ 'kilowatt hour': 'kWh', 'kilowatt hours': 'kWh', kilowatthours: 'kWh', kilowattheure: 'kWh' },
  ...{ kilowattstunde: 'kWh', kilowattstunden: 'kWh', kilowattora: 'kWh', kilovatiohora: 'kWh' },
  ...{ kw: 'kW', kws: 'kW', kilowatt: 'kW', kilowatts: 'kW', kilovatio: 'kW', kilovatios: 'kW' },
  ...{ w: 'W', watt: 'W', watts: 'W', vatio: 'W', vatios: 'W' },
  ...{ degc: 'degC', 'deg c': 'degC', '° c': 'degC', celsius: 'degC', 'grad celsius': 'degC', gradc: 'degC' },
  ...{
    'degrees celsius': 'degC',
    'degres celsius': 'degC',
    'grados celsius': 'degC',
    'gradi celsius': 'degC',
  },
  ...{ degf: 'degF', 'deg f': 'degF', '° f': 'degF', fahrenheit: 'degF', 'degrees fahrenheit': 'degF' },
  ...{ percent: '%', prozent: '%', 'pour cent': '%', pourcent: '%', pct: '%', 'por ciento': '%' },
  ...{ pascal: 'Pa', pascals: 'Pa', hektopascal: 'hPa', hectopascal: 'hPa', hectopascals: 'hPa' },
  ...{ millibar: 'mbar', millibars: 'mbar', mb: 'mbar', kilopascal: 'kPa', kilopascals: 'kPa' },
  ...{ volt: 'V', volts: 'V', ampere: 'A', amperes: 'A', amps: 'A', amp: 'A', lux: 'lx' },
}

/** A unit that the hub converts, as it is spelled there: "en kW" is kW, "Kilowatt hours" kWh. Undefined for other texts. */
export function unitOf(text: string): string | undefined {
  const plain = text
    .trim()
    // one character for a degree and its letter
    .replaceAll('\u2103', '°C')
    .replaceAll('\u2109', '°F')
    .replace(/^(in|en|em|im)\s+/i, '')
    .replace(/^[[(]\s*|\s*[\])]$/g, '')
    .replace(/\.$/, '')
  const word = words[plain.normalize('NFD').replace(/\p{M}/gu, '').replace(/\s+/g, ' ').toLowerCase()]
  // Mw and MW differ by case only; where the table of the hub tells both apart, the spelling of the file counts
  if (word !== undefined && !/^m[wv]/i.test(plain)) return word
  return plain !== '1' && isKnownUnit(plain) ? plain : undefined
}

const isKnownUnit = (unit: string): boolean =>
  unit !== '' && knownMetrics.some((metric) => toCanonical(metric, unit) !== undefined)

/** The metric of a value of which only the unit is stated. Units of several quantities (%, ppm, mm) name none. */
export const metricOfUnit = (unit: string): string | undefined =>
  [
    'power',
    'energy',
    'temperature',
    'pressure',
    'illuminance',
    'voltage',
    'current',
    'irradiance',
    'price',
  ].find((metric) => toCanonical(metric, unit) !== undefined)
