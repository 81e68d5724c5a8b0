import { isZone } from '../../core/calendar.ts'
import { cellsOf, type GuessContext } from './guess-context.ts'
import { timeSourceOf, zoneFor } from './guess-time.ts'
import type { FileHead } from './head.ts'
import type { Mapping, SeriesTable, TimedCell, TimeSource, ValueColumn } from './mapping.ts'
import { readName } from './names.ts'
import { parseCell } from './numbers.ts'
import { meaningsOf, type SeriesMeaning } from './series-meaning.ts'
import { type Survey, seriesKey } from './survey.ts'
import { isEpoch, readTimeFormat, timesOf } from './time.ts'

/** Fewest columns whose names are times that make a file one of this kind. */
const momentsMin = 2
const clocksMin = 6
const clockName = /^(\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?)(?:\s*(?:-|–|to|bis)\s*\d{1,2}:\d{2}.*)?$/i

/** Where the columns are moments (rows are series) or clock times (rows are days). Undefined for other files. */
export function timesInHeader(
  context: GuessContext,
): { readonly time: TimeSource; readonly cells: readonly TimedCell[] } | undefined {
  const { head, flags } = context
  if (flags.time !== undefined || flags.start !== undefined) return undefined
  const { columns } = head
  const moments = [...columns.keys()].filter((index) => isMoment(columns[index]!))
  if (moments.length >= momentsMin && moments.length * 2 >= columns.length - 3) {
    const names = moments.map((index) => columns[index]!)
    const format = readTimeFormat(names, { dateOrder: flags.dateOrder })
    const zone = zoneFor(flags, '')
    if (!format || isEpoch(format) || !isZone(zone.zone)) return undefined
    const { read } = timesOf(format, zone.zone)
    const cells = moments.flatMap((index) => {
      const at = read(columns[index]!, '')
      return typeof at === 'number' ? [{ index, at }] : []
    })
    return { time: { kind: 'header', ...zone }, cells }
  }
  const clocks = columns.flatMap((name, index) => {
    const clock = clockName.exec(name.trim())?.[1]
    return clock === undefined ? [] : [{ index, clock }]
  })
  if (clocks.length < clocksMin || clocks.length * 2 < columns.length) return undefined
  const day = [...columns.keys()].find(
    (index) =>
      !clocks.some((cell) => cell.index === index) &&
      timeSourceOf(context, index) !== undefined &&
      holdsDays(head, index),
  )
  const source = day === undefined ? undefined : timeSourceOf(context, day)
  return source && { time: source, cells: clocks }
}

const isMoment = (name: string): boolean => {
  const format = readTimeFormat([name], { dateOrder: 'dmy' })
  return format !== undefined && !isEpoch(format)
}

const holdsDays = (head: FileHead, index: number): boolean =>
  isMoment(cellsOf(head, index).find((cell) => cell.trim() !== '') ?? '')

type Parts = Pick<Mapping, 'values' | 'events' | 'roles' | 'skipped' | 'series' | 'cells'>

const keyNames =
  /^(entity_id|entity|device|device_id|sensor|sensor_id|name|type|metric|quantity|room|location|unit|units|unit_of_measurement|einheit|meter|meter_id|serial|mpan|mprn|nmi|series)$/i

/** One reading for each cell below a time. `--column "*=device/metric:unit"` says what all of them are. */
export function headerParts(context: GuessContext, cells: readonly TimedCell[], time: TimeSource): Parts {
  const { head, columnFlags } = context
  const inCells = new Set(cells.map(({ index }) => index))
  const first = cells[0]!.index
  const keys = [...head.columns.keys()].filter(
    (index) => !inCells.has(index) && keyNames.test(head.columns[index]!.trim()),
  )
  const name = `${cells.length} columns of times`
  const told = columnFlags.findLast((flag) => flag.kind === 'value' && flag.column === '*')
  const base = { index: first, name, factor: 1 }
  const rest = head.columns.flatMap((column, index) =>
    inCells.has(index) || keys.includes(index) || (time.kind === 'column' && time.index === index)
      ? []
      : [{ index, name: column, why: 'not needed' }],
  )
  const about = keys.map((index) => ({
    index,
    name: head.columns[index]!,
    role: 'series' as const,
    why: 'guessed',
  }))
  if (told?.kind === 'value') {
    const id = keys.find(
      (index) => !/^(type|unit.*|einheit|room|location|metric|quantity)$/i.test(head.columns[index]!),
    )
    const device =
      told.device !== undefined
        ? { fixed: told.device }
        : id === undefined
          ? { fixed: context.device }
          : { column: id }
    const unit = told.unit === undefined ? {} : { unit: { fixed: told.unit } }
    const column: ValueColumn = {
      ...base,
      factor: told.factor,
      device,
      metric: { fixed: told.metric },
      ...unit,
      why: '--column',
    }
    return { values: [column], events: [], roles: about, skipped: rest, cells }
  }
  if (keys.length > 0) {
    const { series, skipped } = seriesOfRows(head, keys, cells)
    const column: ValueColumn = {
      ...base,
      device: { column: keys[0]! },
      metric: { fixed: 'by series' },
      why: 'by series',
    }
    const values = Object.keys(series.meanings).length > 0 ? [column] : []
    return { values, events: [], roles: about, skipped: [...skipped, ...rest], series, cells }
  }
  return { ...onlySeries(context, base, cells), events: [], roles: [], cells }
}

/** Rows are series: their texts and their unit say what they are. */
function seriesOfRows(
  head: FileHead,
  keys: readonly number[],
  cells: readonly TimedCell[],
): { series: SeriesTable; skipped: { index: number; name: string; why: string; flag?: string }[] } {
  const series = new Map<string, { texts: Record<string, string>; cells: string[] }>()
  for (const row of head.sample) {
    const key = seriesKey(row, keys)
    const texts = keys.map((index) => [head.columns[index]!.trim().toLowerCase(), (row[index] ?? '').trim()])
    const known = series.get(key) ?? { texts: Object.fromEntries(texts), cells: [] as string[] }
    known.cells.push(...cells.map(({ index }) => row[index] ?? '').filter((cell) => cell.trim() !== ''))
    series.set(key, known)
  }
  const survey: Survey = { keys, value: cells[0]!.index, series }
  const meanings: SeriesTable['meanings'] = Object.fromEntries(
    [...meaningsOf(survey, head.styles[survey.value] ?? '.', false)].flatMap(([key, meaning]) =>
      'skip' in meaning ? [] : [[key, intervals(meaning)]],
    ),
  )
  const skipped = [...series].flatMap(([key, { texts }]) => {
    if (meanings[key]) return []
    const label = Object.values(texts).filter(Boolean).join(' ')
    return [
      {
        index: survey.value,
        name: label,
        why: 'metric or unit not stated',
        flag: '--column "*=METRIC:UNIT"',
      },
    ]
  })
  return { series: { keys, meanings }, skipped }
}

/** A table of energies by time is one of intervals: registers are exported as they were read, one below the other. */
const intervals = (meaning: SeriesMeaning): SeriesMeaning =>
  meaning.metric !== 'energy' && meaning.metric !== 'energy_total'
    ? meaning
    : {
        ...meaning,
        metric: 'energy',
        why: `unit ${meaning.unit} as the file states; a table by times holds the energy of intervals`,
      }

/** Rows are days of one series, which the file or its name must say what it is. */
function onlySeries(
  { head, device }: GuessContext,
  base: Pick<ValueColumn, 'index' | 'name' | 'factor'>,
  cells: readonly TimedCell[],
): Pick<Parts, 'values' | 'skipped'> {
  const numbers = head.sample.flatMap((row) =>
    cells
      .map(({ index }) => parseCell(row[index] ?? '', head.styles[index] ?? '.'))
      .filter((value) => typeof value === 'number'),
  )
  const { metric, unit, why } = readName(head.stem, numbers, head.units[base.index])
  if (metric === undefined || unit === undefined) {
    const flag = `--column "*=${device}/${metric ?? 'METRIC'}:${unit ?? 'UNIT'}"`
    return {
      values: [],
      skipped: [{ index: base.index, name: base.name, why: 'metric or unit not stated', flag }],
    }
  }
  const kind = metric === 'energy_total' ? 'energy' : metric
  return {
    values: [{ ...base, device: { fixed: device }, metric: { fixed: kind }, unit: { fixed: unit }, why }],
    skipped: [],
  }
}
