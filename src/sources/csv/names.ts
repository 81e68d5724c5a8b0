import { toCanonical } from '../../core/units.ts'

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
  /** The one unit in which this is ever written, with the range that the values must keep to. */
  readonly usual?: { readonly unit: string; readonly from: number; readonly to: number }
}

const any = { from: -Infinity, to: Infinity }
const bit = { unit: 'state', from: 0, to: 1 }

/** In this order; the first that fits decides. German words because openSenseMap's stations use them. */
const quantities: readonly Quantity[] = [
  { pattern: /pm_?2[._]?5/, metric: 'pm2_5', usual: { unit: 'ug/m3', ...any } },
  { pattern: /pm_?10/, metric: 'pm10', usual: { unit: 'ug/m3', ...any } },
  { pattern: /pm_?1([._]0)?(?!\d)/, metric: 'pm1', usual: { unit: 'ug/m3', ...any } },
  { pattern: /nc_?0[._]5/, metric: 'nc0_5', usual: { unit: '1/cm3', ...any } },
  { pattern: /nc_?1[._]0/, metric: 'nc1_0', usual: { unit: '1/cm3', ...any } },
  { pattern: /nc_?2[._]5/, metric: 'nc2_5', usual: { unit: '1/cm3', ...any } },
  { pattern: /dew_?point|taupunkt/, metric: 'dew_point' },
  { pattern: /set_?point|sollwert/, metric: 'setpoint' },
  { pattern: /temperatur(?!e)/, metric: 'temperature', usual: { unit: 'degC', from: -60, to: 100 } },
  { pattern: /temp/, metric: 'temperature' },
  {
    pattern: /humid|feucht|(^|_)rh(_|$)/,
    metric: 'humidity',
    // a share of 0 to 1 would pass for a very dry room
    usual: { unit: '%', from: 1.01, to: 110 },
  },
  { pattern: /beleuchtungsst(ä|ae)rke/, metric: 'illuminance', usual: { unit: 'lx', ...any } },
  { pattern: /illuminance|(^|_)lux(_|$)|light|helligkeit/, metric: 'illuminance' },
  {
    pattern: /lautst(ä|ae)rke|noise|loudness|sound_?level|schall/,
    metric: 'noise',
    usual: { unit: 'dB', ...any },
  },
  { pattern: /e_?co2/, metric: 'eco2', usual: { unit: 'ppm', from: 300, to: 65_000 } },
  { pattern: /carbon_?intensity|co2_?intensity/, metric: 'carbon_intensity' },
  { pattern: /co2/, metric: 'co2', usual: { unit: 'ppm', from: 250, to: 10_000 } },
  { pattern: /t?voc/, metric: 'tvoc' },
  {
    pattern: /pressure|luftdruck|barometer/,
    metric: 'pressure',
    usual: { unit: 'hPa', from: 800, to: 1100 },
  },
  { pattern: /cloud|bew(ö|oe)lkung/, metric: 'cloud_cover' },
  { pattern: /wind_?speed|windgeschwindigkeit/, metric: 'wind_speed' },
  { pattern: /irradiance|solar_?radiation|ghi/, metric: 'irradiance' },
  { pattern: /rain|precipitation|niederschlag/, metric: 'rain' },
  { pattern: /voltage|spannung/, metric: 'voltage' },
  { pattern: /(^|_)current(_|$)|amperage|strom(?!verbrauch)/, metric: 'current' },
  { pattern: /price|tariff|preis/, metric: 'price' },
  { pattern: /(^|_)soc(_|$)|state_of_charge/, metric: 'soc' },
  { pattern: /motion|(^|_)pir(_|$)|bewegung/, metric: 'motion', usual: bit },
  { pattern: /(^|_)door(_|$)|t(ü|ue)r(_|$)/, metric: 'door', usual: bit },
  { pattern: /(^|_)window(_|$)|fenster/, metric: 'window_open', usual: bit },
  { pattern: /occupied|presence|anwesen/, metric: 'occupied', usual: bit },
  { pattern: /smoke|fire_?alarm|rauch/, metric: 'smoke', usual: bit },
  { pattern: /energ(y|ie)/, metric: 'energy' },
  { pattern: /power|leistung/, metric: 'power' },
]

/** Names that go with a unit of power or energy. A lone "_w" behind anything else may be a weight or a width. */
const electric =
  /power|load|leistung|verbrauch|consumption|usage|demand|grid|solar|(^|_)pv(_|$)|generation|production|battery|energy|einspeisung|bezug|active|watt/

/** How a unit is written at the end of a name; the longest that fits counts. */
const suffixes: readonly (readonly [RegExp, string])[] = [
  [/_(u|µ|μ)g_?(per_)?m3$/, 'ug/m3'],
  [/_(eur|usd|gbp|inr)_(per_)?(mwh|kwh)$/, 'price'],
  [/_(watt_?hours?|wh)$/, 'Wh'],
  [/_(kilowatt_?hours?|kwh)$/, 'kWh'],
  [/_mwh$/, 'MWh'],
  [/_(kilowatts?|kw)$/, 'kW'],
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

/** `values` are the numbers of the sample; they decide where a unit is known by range only. */
export function readName(name: string, values: readonly number[]): NameReading {
  const bracket = /^(.*?)\s*[[(]\s*([^\])]+?)\s*[\])]\s*$/.exec(name.trim())
  const plain = normalise(bracket?.[1] ?? name)
  const suffix = bracket ? undefined : suffixes.find(([pattern]) => pattern.test(`_${plain}`))
  const base = suffix ? `_${plain}`.replace(suffix[0], '').replace(/^_/, '') : plain
  const unit = bracket?.[2] ?? (suffix ? spelled(suffix[1], plain) : undefined)
  const words = base === '' ? plain : base
  if (/forecast|predict|prognos|vorhersage/.test(words)) {
    return { subject: words, why: '', not: 'a forecast, not a measurement' }
  }
  if (unit !== undefined) {
    const metric = metricFor(words, unit, plain)
    if (metric !== undefined) {
      return { metric, unit, subject: subjectOf(words), why: `unit ${unit} from the name` }
    }
  }
  const quantity = quantityOf(words)
  if (!quantity) return { subject: subjectOf(words), why: '', ...(unit === undefined ? {} : { unit }) }
  const { usual } = quantity
  const metric = outdoors(quantity.metric, words)
  const subject = subjectOf(words)
  if (!usual || unit !== undefined) return { metric, subject, why: '' }
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity)
  if (!fits(usual, quantity.metric, lowest, highest)) return { metric, subject, why: '' }
  return { metric, unit: usual.unit, subject, why: `${usual.unit} is the usual unit` }
}

/** Percentages and pressures are told by their highest value, since faults read 0; the others by both ends. */
function fits(
  usual: NonNullable<Quantity['usual']>,
  metric: string,
  lowest: number,
  highest: number,
): boolean {
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
  if (/rating|peak|standby|max|min|limit|capacity|rated/.test(words)) return undefined
  if (toCanonical('energy', unit))
    return /total|meter|counter|z(ä|ae)hler/.test(words) ? 'energy_total' : 'energy'
  if (toCanonical('power', unit) && electric.test(words)) return 'power'
  return undefined
}

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
