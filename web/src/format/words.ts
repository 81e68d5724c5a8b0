/** Words of the states 1 and 0, by metric. */
const states: Readonly<Record<string, readonly [one: string, zero: string]>> = {
  motion: ['Motion', 'No motion'],
  door: ['Open', 'Closed'],
  window_open: ['Open', 'Closed'],
  occupied: ['Occupied', 'Empty'],
  switch: ['On', 'Off'],
  smoke: ['Smoke', 'Clear'],
  gas_detected: ['Gas', 'Clear'],
  leak: ['Leak', 'Dry'],
  available: ['Online', 'Offline'],
}

const metricNames: Readonly<Record<string, string>> = {
  pv_power: 'Solar power',
  grid_power: 'Grid power',
  energy_total: 'Energy, total',
  energy_returned_total: 'Energy returned, total',
  linkquality: 'Link quality',
  temperature_outdoor: 'Outdoor temperature',
  co2: 'CO₂',
  eco2: 'eCO₂',
  tvoc: 'TVOC',
  soc: 'State of charge',
  pm1: 'PM1',
  pm2_5: 'PM2.5',
  pm10: 'PM10',
  nc0_5: 'Particles > 0.5 µm',
  nc1_0: 'Particles > 1.0 µm',
  nc2_5: 'Particles > 2.5 µm',
  illuminance: 'Light',
  window_open: 'Window',
  occupied: 'Occupancy',
}

/** Whether a series holds states (door open) rather than quantities. */
export const isState = (metric: string, unit: string): boolean => unit === 'state' || metric in states

/** The word of a state; undefined for a quantity, or a state that is neither 0 nor 1. */
export function stateWord(metric: string, unit: string, value: number): string | undefined {
  if (!isState(metric, unit) || (value !== 0 && value !== 1)) return undefined
  const [one, zero] = states[metric] ?? ['On', 'Off']
  return value === 1 ? one : zero
}

/** A metric as a heading: pm2_5 -> PM2.5, dew_point -> Dew point. */
export const metricName = (metric: string): string => metricNames[metric] ?? sentenceCase(metric)

/** An id as a name: washing_machine -> Washing machine. Ids that are codes (t1, plug-3) stay as they are. */
export function idName(id: string): string {
  if (!/^[A-Za-z][a-z]+([_ -][a-z0-9]+)*$/.test(id)) return id
  return sentenceCase(id).replaceAll(/\S+/g, (word) =>
    abbreviations.has(word.toLowerCase()) ? word.toUpperCase() : word,
  )
}

/** A site that was never named bears its id. */
export const siteName = (site: { readonly id: string; readonly name: string }): string =>
  site.name === site.id ? idName(site.id) : site.name

const abbreviations: ReadonlySet<string> = new Set(['ac', 'ev', 'hvac', 'pc', 'pir', 'pv', 'tv'])

const forecasters: Readonly<Record<string, string>> = {
  model: 'Learnt model',
  yesterday: 'Same time yesterday',
  'last-week': 'Same time last week',
  'slot-mean': 'Mean of the hour',
}

/** A forecaster of a score table: last-week -> Same time last week. */
export const forecasterName = (name: string): string => forecasters[name] ?? sentenceCase(name)

const measures: Readonly<Record<string, string>> = {
  rmse: 'RMSE',
  mae: 'MAE',
  r2: 'R²',
  pinball: 'Pinball loss',
  brier: 'Brier score',
}

/** A measure of errors: rmse -> RMSE. */
export const measureName = (name: string): string => measures[name] ?? sentenceCase(name)

const inputShapes: readonly (readonly [RegExp, (span: string) => string])[] = [
  [/^season -(\d+)$/, (span) => `the same hour ${Number(span)} days before`],
  [/^cycle -(\d+)$/, (span) => `the same hour ${Number(span)} weeks before`],
  [
    /^slot ([+-]\d+)$/,
    (span) =>
      `the hour ${Math.abs(Number(span))} h ${Number(span) < 0 ? 'earlier' : 'later'} in the past days`,
  ],
  [/^smoothed (\d+)$/, (span) => `smoothed level ${span}`],
  [/^step -(\d+)$/, (span) => `${span} h before the forecast`],
  [/^lag_(\d+)h$/, (span) => `the same hour ${span} h before`],
  [/^last_(\d+)h$/, (span) => `${span} h before the forecast`],
  [/^mean_(\d+)h$/, (span) => `mean of the last ${span} h`],
  [/^slot_mean_(\d+)d$/, (span) => `mean of the hour over ${span} days`],
  [/^slot_max_(\d+)d$/, (span) => `most of the hour over ${span} days`],
]

/** An input of a model inside a sentence: mean_24h -> mean of the last 24 h. */
export function inputName(feature: string): string {
  for (const [shape, phrase] of inputShapes) {
    const span = shape.exec(feature)?.[1]
    if (span !== undefined) return phrase(span)
  }
  return inputs[feature] ?? plainName(feature)
}

const inputs: Readonly<Record<string, string>> = {
  base: 'the same hour of the day before',
  scale: 'usual change from day to day',
  'slot mean': 'mean of the hour over a week',
  'slot long mean': 'mean of the hour over four weeks',
  'slot deviation': 'spread of the hour',
  'slot change': 'change of the hour in a week',
  'slot most': 'most of the hour',
  'season mean': 'mean of the last day',
  'cycle mean': 'mean of the last week',
  'long mean': 'mean of the last four weeks',
}

/** A rule, model or baseline name inside a sentence: same_time_yesterday -> same time yesterday. */
export const plainName = (name: string): string => name.replaceAll(/[_-]+/g, ' ')

function sentenceCase(text: string): string {
  const words = text.replaceAll(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
