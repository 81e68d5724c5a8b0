import { type Command, InvalidArgumentError } from 'commander'
import { isoIn } from '../core/calendar.ts'
import { HomeostatError } from '../core/errors.ts'
import { forecastSeries, intervalOf, quantilesOf, type SeriesForecast } from '../ml/forecast/forecast.ts'
import { membersOf } from '../ml/forecast/members.ts'
import { findSeason } from '../ml/forecast/season.ts'
import type { Series } from '../ml/forecast/series.ts'
import { mstlMember } from '../ml/learners/mstl.ts'
import { coverage, mase, msis, smape } from '../ml/metrics.ts'
import { loadMstl } from '../platform/augurs.ts'
import { checkWritable, type ReadingFlags, readingFlags, zone } from './lab-flags.ts'
import { actualsFor } from './lab-grid.ts'
import { showProgress } from './lab-progress.ts'
import { readSeries, type SeriesFormat } from './lab-series.ts'
import { withTeam } from './lab-team.ts'
import { csvField, figure, jsonText, percent, plot, textTable, writeWhole } from './lab-text.ts'

interface ForecastFlags extends ReadingFlags {
  readonly input: string
  readonly format?: SeriesFormat
  readonly time?: string
  readonly value?: string
  readonly series?: string
  readonly zone: string
  /** Found where it is absent. */
  readonly season?: number
  readonly horizon: number
  readonly level: readonly number[]
  readonly actuals?: string
  readonly out?: string
  readonly mstl?: boolean
  readonly json?: boolean
}

/** Adds `lab forecast`. */
export function forecastCommand(lab: Command): void {
  readingFlags(lab.command('forecast'))
    .description('forecast every series of a CSV file, with intervals, and score it against what came')
    .requiredOption('--input <file>', 'CSV file')
    .option(
      '--format <format>',
      'long (a value column), wide (a column a series), m4 (a row a series)',
      format,
    )
    .option('--time <column>', 'column of times (default: found)')
    .option('--value <column>', 'column to forecast; wide: several, with commas')
    .option('--series <column>', 'long: column that names the series of a row (default: found)')
    .option('--zone <zone>', 'zone of the calendar, and of times without an offset', zone, 'UTC')
    .option('--season <steps>', 'steps after which things repeat, 24 for hours (default: found)', steps)
    .requiredOption('--horizon <steps>', 'steps to forecast', steps)
    .option('--level <shares>', 'share of the values that intervals shall cover, with commas', levels, [0.9])
    .option('--actuals <file>', 'what came after, in the same format: scores the forecast')
    .option('--out <file>', 'write series,step,mean,lo,hi, and time where steps have one, to this CSV file')
    .option('--mstl', 'try MSTL with ETS, too: slower, and seldom better')
    .option('--json', 'JSON instead of tables')
    .action(async (flags: ForecastFlags) => {
      process.stdout.write(await labForecast(flags))
    })
}

/** What `actuals` say of a forecast. NaN where a history is flat, so that there is no scale. */
export interface ForecastScores {
  readonly mase: number
  readonly smape: number
  /** By level, in the order of the flags. */
  readonly msis: readonly number[]
  readonly coverage: readonly number[]
}

/** Runs the command; gives what it prints. Nothing is written unless all is well. */
export async function labForecast(given: ForecastFlags): Promise<string> {
  if (given.out !== undefined) await checkWritable(given.out)
  const notes = new Set<string>()
  const series = await readSeries(given.input, given, (note) => notes.add(note))
  const flags = { ...given, season: given.season ?? seasonFor(series, (note) => notes.add(note)) }
  const later = flags.actuals === undefined ? undefined : await readSeries(flags.actuals, flags)
  const actuals = later && series.map((one) => actualsFor(one, later, flags.horizon))
  const { season, horizon, level } = flags
  const further = flags.mstl === true ? [mstlMember(loadMstl())] : []
  const quantiles = quantilesOf(level)
  const forecasts = await withTeam((team) => {
    const members = [...membersOf(team ? { team } : {}), ...further]
    return forecastSeries(series, { season, horizon, quantiles, members, progress: showProgress })
  })
  const scores =
    actuals && forecasts.map((forecast, at) => scoreOf(forecast, series[at]!, actuals[at]!, season, level))
  if (flags.out !== undefined) await writeWhole(flags.out, csvOf(forecasts, series, level))
  return flags.json === true
    ? jsonText(report(flags, [...notes], { series, forecasts, scores }))
    : describe(flags, [...notes], { series, forecasts, actuals, scores })
}

/** Flags with the season that was given or found. */
type Flags = ForecastFlags & { readonly season: number }

interface Results {
  readonly series: readonly Series[]
  readonly forecasts: readonly SeriesForecast[]
  readonly actuals?: readonly Float64Array[] | undefined
  readonly scores?: readonly ForecastScores[] | undefined
}

function seasonFor(series: readonly Series[], note: (sentence: string) => void): number {
  const { season, correlation } = findSeason(series)
  const why = correlation > 0 ? `, with a correlation of ${figure(correlation)}` : ''
  note(`The series repeat themselves after ${season} steps${why}; --season names another number.`)
  return season
}

/** Scores over the steps that are known. */
export function scoreOf(
  forecast: SeriesForecast,
  { values }: Series,
  actual: Float64Array,
  season: number,
  levels: readonly number[],
): ForecastScores {
  const { mean, id } = forecast
  const intervals = levels.map((level) => intervalOf(forecast, level))
  const known = [...actual.keys()].filter((step) => Number.isFinite(actual[step]!))
  if (known.length === 0)
    throw new HomeostatError('data_invalid', { detail: `the actuals hold no value of the steps after ${id}` })
  const pick = (column: Float64Array): Float64Array => Float64Array.from(known, (step) => column[step]!)
  const truth = pick(actual)
  return {
    mase: mase(truth, pick(mean), values, season),
    smape: smape(truth, pick(mean)),
    msis: intervals.map(({ level, lo, hi }) => msis(truth, pick(lo), pick(hi), level, values, season)),
    coverage: intervals.map(({ lo, hi }) => coverage(truth, pick(lo), pick(hi))),
  }
}

/** Means over the series, of those where a score is defined. */
function meanScores(scores: readonly ForecastScores[]): ForecastScores {
  const mean = (of: (one: ForecastScores) => number): number => {
    const known = scores.map(of).filter((value) => Number.isFinite(value))
    return known.reduce((sum, value) => sum + value, 0) / known.length
  }
  const levels = scores[0]?.msis ?? []
  return {
    mase: mean((one) => one.mase),
    smape: mean((one) => one.smape),
    msis: levels.map((_, at) => mean((one) => one.msis[at]!)),
    coverage: levels.map((_, at) => mean((one) => one.coverage[at]!)),
  }
}

/**
 * `series,step,mean,lo,hi`, a row a step; further levels follow as lo_0.95,hi_0.95, and at last the time at which a step
 * begins, where any series has times.
 */
function csvOf(
  forecasts: readonly SeriesForecast[],
  series: readonly Series[],
  levels: readonly number[],
): string {
  const further = levels.slice(1).map((level) => `,lo_${level},hi_${level}`)
  const isTimed = series.some(({ times }) => times !== undefined)
  const lines = [`series,step,mean,lo,hi${further.join('')}${isTimed ? ',time' : ''}`]
  for (const [at, forecast] of forecasts.entries()) {
    const { id, mean } = forecast
    const intervals = levels.map((level) => intervalOf(forecast, level))
    const times = timesAfter(series[at]!, mean.length)
    for (const [step, value] of mean.entries()) {
      const ends = intervals.flatMap(({ lo, hi }) => [lo[step]!, hi[step]!])
      const time = isTimed ? [times?.[step] ?? ''] : []
      lines.push([csvField(id), step + 1, value, ...ends, ...time].join(','))
    }
  }
  return `${lines.join('\n')}\n`
}

/** The times of the steps after a series, by the clock of its zone with its offset; undefined without times. */
export function timesAfter({ times, values }: Series, count: number): string[] | undefined {
  if (!times) return undefined
  const { startMs, stepMs, zone = 'UTC' } = times
  return Array.from({ length: count }, (_, step) => {
    const at = Math.round(startMs + (values.length + step) * stepMs)
    return isoIn(zone, at)
  })
}

/** Scores with the first level as `msis` and `coverage`, and every level by name. */
const named = (scores: ForecastScores, level: readonly number[]) => ({
  mase: scores.mase,
  smape: scores.smape,
  msis: scores.msis[0],
  coverage: scores.coverage[0],
  levels: Object.fromEntries(
    level.map((share, at) => [share, { msis: scores.msis[at], coverage: scores.coverage[at] }]),
  ),
})

function report(
  { season, horizon, level }: Flags,
  notes: readonly string[],
  { series, forecasts, scores }: Results,
): unknown {
  return {
    season,
    horizon,
    levels: level,
    notes,
    ...(scores ? { mean: named(meanScores(scores), level) } : {}),
    series: forecasts.map((forecast, at) => {
      const times = timesAfter(series[at]!, horizon)
      const intervals = level.map((share) => intervalOf(forecast, share))
      return {
        series: forecast.id,
        ...(scores ? named(scores[at]!, level) : {}),
        weights: forecast.weights,
        past: forecast.past,
        forecast: { ...(times ? { times } : {}), mean: forecast.mean, intervals },
      }
    }),
  }
}

/** Series shown in full; of more only the first, and the mean of all. */
const shownMax = 12
const notesMax = 4

function describe(
  flags: Flags,
  notes: readonly string[],
  { series, forecasts, actuals, scores }: Results,
): string {
  const first = timesAfter(series[0]!, 1)?.[0]
  const from = first === undefined ? '' : `The first of them begins at ${first}.\n`
  const parts = [
    `${series.length} series, ${flags.horizon} steps ahead, season ${flags.season}\n${from}`,
    ...notes.slice(0, notesMax).map((note) => `${note}\n`),
    notes.length > notesMax ? `... and ${notes.length - notesMax} more such notes\n` : '',
    '\n',
    picture(flags, series[0]!, forecasts[0]!, actuals?.[0]),
    '\n',
    textTable([
      head(flags, scores !== undefined),
      ...forecasts.slice(0, shownMax).map((forecast, at) => row(forecast, scores?.[at])),
    ]),
  ]
  if (forecasts.length > shownMax) parts.push(`  ... and ${forecasts.length - shownMax} more\n`)
  if (scores)
    parts.push('\n', textTable([scoreNames(flags), ['mean of all', ...scoreCells(meanScores(scores))]]))
  parts.push(
    `\nPast error: root mean square error at past origins, in units of the mean change from one season to the next.\n`,
  )
  if (flags.out !== undefined) parts.push(`Written to ${flags.out}\n`)
  return parts.join('')
}

const scoreNames = ({ level }: ForecastFlags): string[] => [
  '',
  'MASE',
  'sMAPE',
  ...level.flatMap((share) => [`MSIS ${100 * share}`, `covered ${100 * share}`]),
]

const scoreCells = (scores: ForecastScores): string[] => [
  figure(scores.mase),
  figure(scores.smape),
  ...scores.msis.flatMap((value, at) => [figure(value), percent(scores.coverage[at]!)]),
]

function head(flags: Flags, scored: boolean): string[] {
  const past = ['past origins', 'past error', 'best naive', 'mostly']
  return ['series', ...(scored ? scoreNames(flags).slice(1) : []), ...past]
}

function row({ id, weights, past }: SeriesForecast, scores: ForecastScores | undefined): string[] {
  const naive = ['season', 'cycle', 'slot-mean'].map((name) => past.members[name] ?? Number.NaN)
  const best = Math.min(...naive.filter((error) => !Number.isNaN(error)))
  const [most] = Object.entries(weights).sort((a, b) => b[1] - a[1])
  return [
    id,
    ...(scores ? scoreCells(scores) : []),
    String(past.origins),
    figure(past.error),
    figure(best),
    most ? `${most[0]} ${percent(most[1])}` : '',
  ]
}

/** The last two seasons, then the forecast in its band, and what came. */
function picture(
  { season, level }: Flags,
  { id, values }: Series,
  forecast: SeriesForecast,
  actual: Float64Array | undefined,
): string {
  const { mean } = forecast
  const before = values.subarray(Math.max(0, values.length - 2 * season))
  const gap = new Float64Array(before.length).fill(Number.NaN)
  const after = (column: ArrayLike<number>): Float64Array =>
    Float64Array.from([...gap, ...Array.from(column)])
  const band = intervalOf(forecast, level[0]!)
  const curves = [
    { values: before, mark: '•' },
    { values: after(mean), mark: '─' },
    ...(actual ? [{ values: after(actual), mark: '×' }] : []),
  ]
  const legend = `  ${id}: • known, ─ forecast, ░ ${100 * level[0]!} % interval${actual ? ', × what came' : ''}\n`
  return legend + plot(curves, { lo: after(band.lo), hi: after(band.hi) })
}

function format(text: string): SeriesFormat {
  if (text === 'long' || text === 'wide' || text === 'm4') return text
  throw new InvalidArgumentError('Formats are long, wide and m4.')
}

function steps(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= 100_000) return number
  throw new InvalidArgumentError('A whole number from 1 to 100000.')
}

function levels(text: string): number[] {
  const shares = text.split(',').map(Number)
  if (shares.every((share) => share > 0 && share < 1)) return shares
  throw new InvalidArgumentError('Shares between 0 and 1, e.g. 0.9,0.95.')
}
