import { toCanonical } from '../../core/units.ts'
import { metricOfUnit, unitOf } from './unit-words.ts'

/** What the name of a column (and its first values) say. `metric` and `unit` both known: it can be imported. */
export interface NameReading {
  readonly metric?: string
  readonly unit?: string
  /** What is left of the name: whose value it is, e.g. "kitchen" of "kitchen_temp_c". */
  readonly subject: string
  /** Where the unit is from, for the user. */
  readonly why: string
  /** Set where the column is no measurement, whatever its unit. */
  readonly not?: string
}

interface Quantity {
  readonly pattern: RegExp
  readonly metric: string
  /** The units in which this is ever written, with the ranges that the values must keep to. */
  readonly usual?: readonly Usual[]
}

interface Usual {
  readonly unit: string
  readonly from: number
  readonly to: number
}

const any = { from: -Infinity, to: Infinity }
const bit = [{ unit: 'state', from: 0, to: 1 }]

/** In this order; the first that fits decides. German words because openSenseMap's stations use them. */
const quantities: readonly Quantity[] = [
  { pattern: /pm_?2[._]?5/, metric: 'pm2_5', usual: [{ unit: 'ug/m3', ...any }] },
  { pattern: /pm_?10/, metric: 'pm10', usual: [{ unit: 'ug/m3', ...any }] },
  { pattern: /pm_?1([._]0)?(?!\d)/, metric: 'pm1', usual: [{ unit: 'ug/m3', ...any }] },
  { pattern: /nc_?0[._]5/, metric: 'nc0_5', usual: [{ unit: '1/cm3', ...any }] },
  { pattern: /nc_?1[._]0/, metric: 'nc1_0', usual: [{ unit: '1/cm3', ...any }] },
  { pattern: /nc_?2[._]5/, metric: 'nc2_5', usual: [{ unit: '1/cm3', ...any }] },
  { pattern: /dew_?point|taupunkt/, metric: 'dew_point' },
  { pattern: /set_?point|sollwert/, metric: 'setpoint' },
  { pattern: /temperatur(?!e)/, metric: 'temperature', usual: [{ unit: 'degC', from: -60, to: 100 }] },
  { pattern: /temp/, metric: 'temperature' },
  {
    pattern: /humid|feucht|humedad|umidit|(^|_)rh(_|$)/,
    metric: 'humidity',
    // a share of 0 to 1 would pass for a very dry room
    usual: [{ unit: '%', from: 1.01, to: 110 }],
  },
  { pattern: /beleuchtungsst(ä|ae)rke/, metric: 'illuminance', usual: [{ unit: 'lx', ...any }] },
  { pattern: /illuminance|(^|_)lux(_|$)|light|helligkeit/, metric: 'illuminance' },
  {
    pattern: /lautst(ä|ae)rke|noise|loudness|sound_?level|schall/,
    metric: 'noise',
    usual: [{ unit: 'dB', ...any }],
  },
  { pattern: /e_?co2/, metric: 'eco2', usual: [{ unit: 'ppm', from: 300, to: 65_000 }] },
  { pattern: /carbon_?intensity|co2_?intensity/, metric: 'carbon_intensity' },
  { pattern: /co2/, metric: 'co2', usual: [{ unit: 'ppm', from: 250, to: 10_000 }] },
  { pattern: /t?voc/, metric: 'tvoc' },
  {
    pattern: /pressure|luftdruck|barometer|pression|presi(ó|o)n/,
    metric: 'pressure',
    // the air at any altitude that people live at: the three ranges do not overlap
    usual: [
      { unit: 'hPa', from: 500, to: 1100 },
      { unit: 'Pa', from: 50_000, to: 110_000 },
    ],
  },
  { pattern: /cloud|bew(ö|oe)lkung/, metric: 'cloud_cover' },
  { pattern: /wind_?speed|windgeschwindigkeit/, metric: 'wind_speed' },
  { pattern: /irradiance|solar_?radiation|ghi/, metric: 'irradiance' },
  { pattern: /rain|precipitation|niederschlag/, metric: 'rain' },
  { pattern: /voltage|spannung|(^|_)tension(_|$)|voltaje|tensione/, metric: 'voltage' },
  { pattern: /(^|_)current(_|$)|amperage|strom(?!verbrauch)/, metric: 'current' },
  { pattern: /price|tariff|preis/, metric: 'price' },
  { pattern: /(^|_)soc(_|$)|state_of_charge/, metric: 'soc' },
  { pattern: /motion|(^|_)pir(_|$)|bewegung/, metric: 'motion', usual: bit },
  { pattern: /(^|_)door(_|$)|t(ü|ue)r(_|$)|(^|_)contact(_|$)/, metric: 'door', usual: bit },
  { pattern: /(^|_)window(_|$)|fenster/, metric: 'window_open', usual: bit },
  { pattern: /occupied|occupancy(?!_count)|presence|anwesen/, metric: 'occupied', usual: bit },
  { pattern: /smoke|fire_?alarm|rauch/, metric: 'smoke', usual: bit },
  { pattern: /(é|e)nerg(y|ie|ia|ía)|verbrauch|consommation|consumo(?!_de_potencia)/, metric: 'energy' },
  { pattern: /power|leistung|puissance|potencia|potenza|vermogen/, metric: 'power' },
]

/** Names that go with a unit of power or energy. A lone "_w" behind anything else may be a weight or a width. */
const electric =
  /power|load|leistung|puissance|potencia|potenza|vermogen|verbrauch|consommation|consumo|import|export|mains|consumption|usage|demand|grid|solar|(^|_)pv(_|$)|generation|production|battery|energy|einspeisung|bezug|active|watt/

/** How a unit is written at the end of a name; the longest that fits counts. */
const suffixes: readonly (readonly [RegExp, string])[] = [
  [/_(u|µ|μ)g_?(per_)?m3$/, 'ug/m3'],
  [/_(eur|usd|gbp|inr)_(per_)?(mwh|kwh)$/, 'price'],
  [/_(watt_?hours?|whs?)$/, 'Wh'],
  [/_(kilowatt_?hours?|kwhs?)$/, 'kWh'],
  [/_mwh$/, 'MWh'],
  [/_(kilowatts?|kws?)$/, 'kW'],
  [/_(watts?|w)$/, 'W'],
  [/_(deg_?c|celsius|c)$/, 'degC'],
  [/_(deg_?f|fahrenheit|f)$/, 'degF'],
  [/_(percent|pct|perc|%)$/, '%'],
  [/_ppm$/, 'ppm'],
  [/_ppb$/, 'ppb'],
  [/_(lux|lx)$/, 'lx'],
  [/_hpa$/, 'hPa'],
  [/_kpa$/, 'kPa'],
  [/_mbar$/, 'mbar'],
  [/_pa$/, 'Pa'],
  [/_(dba|db)$/, 'dB'],
  [/_(volts?|v)$/, 'V'],
  [/_(amperes?|amps?|a)$/, 'A'],
  [/_(m_s|mps)$/, 'm/s'],
  [/_(km_h|kmh)$/, 'km/h'],
  [/_w_?m2$/, 'W/m2'],
  [/_mm$/, 'mm'],
]

const prices: Readonly<Record<string, string>> = { eur: 'EUR', usd: 'USD', gbp: 'GBP', inr: 'INR' }

/**
 * `values` are the numbers of the sample; they decide where a unit is known by range only. `stated` is a unit that the
 * file names elsewhere than in the name of the column.
 */
export function readName(name: string, values: readonly number[], stated?: string): NameReading {
  const bracket = bracketOf(name)
  const plain = normalise(bracket?.rest ?? name)
  const suffix = bracket ? undefined : suffixes.find(([pattern]) => pattern.test(`_${plain}`))
  const base = suffix ? `_${plain}`.replace(suffix[0], '').replace(/^_/, '') : plain
  const unit = bracket?.unit ?? (suffix ? spelled(suffix[1], plain) : undefined) ?? stated
  const words = base === '' ? plain : base
  if (/forecast|predict|prognos|vorhersage/.test(words)) {
    return { subject: words, why: '', not: 'a forecast, not a measurement' }
  }
  if (unit !== undefined) {
    const metric = metricFor(words, unit, plain) ?? (suffix ? undefined : metricByUnit(words, unit))
    if (metric !== undefined) {
      const from = bracket || suffix ? 'from the name' : 'as the file states'
      return { metric, unit, subject: subjectOf(words), why: `unit ${unit} ${from}` }
    }
  }
  const quantity = quantityOf(words)
  if (!quantity) return { subject: subjectOf(words), why: '', ...(unit === undefined ? {} : { unit }) }
  const metric = outdoors(quantity.metric, words)
  const subject = subjectOf(words)
  if (unit !== undefined) return { metric, subject, why: '' }
  const usual = usualOf(quantity, values)
  if (!usual) return { metric, subject, why: '' }
  const why = (quantity.usual?.length ?? 0) > 1 ? 'by the range of its values' : 'is the usual unit'
  return { metric, unit: usual.unit, subject, why: `${usual.unit} ${why}` }
}

/** The unit in which a quantity is written, where there is one only or the range of the values decides. */
function usualOf(quantity: Quantity, values: readonly number[]): Usual | undefined {
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity)
  return quantity.usual?.find((usual) => fits(usual, quantity.metric, lowest, highest))
}

/** Units that are told by the range of the values alone, for a hint to the user. */
const likely: Readonly<Record<string, readonly Usual[]>> = {
  temperature: [
    { unit: 'degC', from: -40, to: 45 },
    { unit: 'K', from: 230, to: 330 },
  ],
  humidity: [{ unit: '%', from: 1.01, to: 110 }],
  voltage: [{ unit: 'V', from: 80, to: 480 }],
}

/** The metric that a name speaks of, whatever its unit. */
export const quantityNamed = (words: string): string | undefined => quantityOf(words)?.metric

/** A unit that a value of this metric is likely in, undefined where there are several. */
export function likelyUnit(metric: string, values: readonly number[]): string | undefined {
  const known = quantities.find((one) => one.metric === metric)
  const usual = likely[metric === 'temperature_outdoor' ? 'temperature' : metric] ?? known?.usual ?? []
  return usualOf({ pattern: /./, metric, usual }, values)?.unit
}

/** A unit in brackets, and the name without it; the last one where there are several. */
function bracketOf(name: string): { unit: string; rest: string } | undefined {
  const found = [...name.matchAll(/[[(]\s*([^\])]+?)\s*[\])]/g)]
  for (const match of found.reverse()) {
    const unit = unitOf(match[1]!)
    const before = name.slice(0, match.index)
    if (unit !== undefined) return { unit, rest: `${before} ${name.slice(match.index + match[0].length)}` }
  }
  // a unit that the hub does not know, for the message
  const last = /^(.*?)\s*[[(]\s*([^\])]+?)\s*[\])]\s*$/.exec(name.trim())
  return last ? { unit: last[2]!, rest: last[1]! } : undefined
}

/** By the unit alone, where the words name no quantity: "Valeur (en kW)" is a power. */
function metricByUnit(words: string, unit: string): string | undefined {
  if (quantityOf(words) || notMeasured.test(words)) return undefined
  return metricOfUnit(unit)
}

/** Percentages and pressures are told by their highest value, since faults read 0; the others by both ends. */
function fits(usual: Usual, metric: string, lowest: number, highest: number): boolean {
  if (usual.from === -Infinity) return true
  if (highest === -Infinity) return false
  // a humidity sensor that is dead reads 0 throughout; a share of 0 to 1 would show fractions
  if (metric === 'humidity') return highest <= usual.to && (highest >= usual.from || highest === 0)
  return lowest >= usual.from && highest <= usual.to
}

function quantityOf(words: string): Quantity | undefined {
  if (/ratio|absolute?|(^|_)(id|index|count|encoded|rating)(_|$)/.test(words)) return undefined
  return quantities.find(({ pattern }) => pattern.test(words))
}

/** The metric that the words and the unit agree on, or undefined. */
function metricFor(words: string, unit: string, plain: string): string | undefined {
  const quantity = quantityOf(words) ?? (words === plain ? undefined : quantityOf(plain))
  if (quantity && toCanonical(quantity.metric, unit)) return outdoors(quantity.metric, words)
  if (notMeasured.test(words)) return undefined
  if (toCanonical('energy', unit))
    return /total|meter|counter|z(ä|ae)hler/.test(words) ? 'energy_total' : 'energy'
  if (toCanonical('power', unit) && electric.test(words)) return 'power'
  return undefined
}

const notMeasured = /rating|peak|standby|max|min|limit|capacity|rated/

const outdoors = (metric: string, words: string): string =>
  metric === 'temperature' && /out(door|side)?(_|$)|au(ß|ss)en|ambient_air/.test(words)
    ? 'temperature_outdoor'
    : metric

function spelled(unit: string, plain: string): string {
  if (unit !== 'price') return unit
  const [, currency = '', , energy = ''] = /(eur|usd|gbp|inr)_(per_)?(mwh|kwh)$/.exec(plain) ?? []
  return `${prices[currency]}/${energy === 'mwh' ? 'MWh' : 'kWh'}`
}

/** Whose value it is: the name without the words for the quantity; the name itself where nothing is left. */
function subjectOf(words: string): string {
  const rest = words
    .replace(/(temperature?|temp|humidity|power|energy|consumption|active|load|usage|total)(_|$)/g, '')
    .replace(/^_+|_+$/g, '')
  return rest === '' ? words : rest
}

/** Lower case words with underscores: value_PM2.5 -> pm2.5, "Living Room" -> living_room, loadW -> load_w. */
export function normalise(name: string): string {
  return name
    .trim()
    .replace(/^value_/i, '')
    .replace(/([a-zäöü]{2})([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.%µμ]+/gu, '_')
    .replace(/(?<!\d)\.|\.(?!\d)/g, '_')
    .replace(/_+/g, '_')
    .replace(/^_|_$/g, '')
}
