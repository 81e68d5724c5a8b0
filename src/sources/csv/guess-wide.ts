import { HomeostatError } from '../../core/errors.ts'
import { toCanonical } from '../../core/units.ts'
import { readCounter } from './counter.ts'
import { cellsOf, fieldOf, type GuessContext, type Role, type Roles } from './guess-context.ts'
import { guessStepMs } from './guess-time.ts'
import type { KnownColumn } from './known.ts'
import {
  columnIndex,
  type EventColumn,
  type Field,
  type GapRule,
  type Mapping,
  roleColumns,
  type SkippedColumn,
  type TimeSource,
  type ValueColumn,
} from './mapping.ts'
import { likelyUnit, type NameReading, normalise, readName } from './names.ts'
import { parseCell } from './numbers.ts'
import { isEpoch, readTimeFormat } from './time.ts'

type Parts = Pick<Mapping, 'values' | 'events' | 'roles' | 'skipped'>

/** A value column whose device is still open: it depends on what else the file holds. */
interface Named {
  readonly index: number
  readonly name: string
  readonly metric: string
  readonly unit: string
  readonly subject: string
  readonly why: string
}

/** The columns that say something about a whole row of a wide file. */
const rowRoles: readonly Role[] = ['time', 'clock', 'device', 'room', 'site']

/** One reading for each value column of a row: by `--column`, as a known data set has it, or by the column's name. */
export function wideParts(context: GuessContext, all: Roles, time: TimeSource): Parts {
  const { head, known } = context
  const roles = Object.fromEntries(
    Object.entries(all).filter(([role]) => rowRoles.includes(role as Role)),
  ) as Roles
  const used = new Set(Object.values(roles).map(({ index }) => index))
  const values: ValueColumn[] = flagged(context, roles)
  for (const { index } of values) used.add(index)
  const events: EventColumn[] = []
  const skipped: SkippedColumn[] = []
  const named: Named[] = []
  const documented = known?.columns(guessStepMs(context, time)) ?? {}
  for (const [index, name] of head.columns.entries()) {
    if (used.has(index)) continue
    const key = name.toLowerCase()
    const fact = documented[key]
    if (known?.events?.column === key) {
      const device = { column: columnIndex(head.path, head.columns, known.events.device) }
      events.push({
        index,
        name,
        device,
        rules: known.events.rules,
        why: 'an event log: where something was seen',
      })
    } else if (fact && 'skip' in fact) {
      skipped.push({ index, name, why: fact.skip, ...flagFor(context, name, fact.column) })
    } else if (fact) {
      values.push(documentedValue(context, roles, index, name, fact))
    } else {
      const found = byName(context, roles, time, index, name)
      if ('metric' in found) named.push(found)
      else skipped.push(found)
    }
  }
  const { kept, rivals } =
    roles.device && context.flags.device === undefined ? withoutRivals(named) : { kept: named, rivals: [] }
  skipped.push(...rivals)
  skipped.sort((a, b) => a.index - b.index)
  values.push(...withDevices(context, roles, kept))
  values.sort((a, b) => a.index - b.index)
  return { values, events, roles: roleColumns(head.columns, roles), skipped }
}

function flagged(context: GuessContext, roles: Roles): ValueColumn[] {
  const { head, columnFlags } = context
  return columnFlags.flatMap((flag) => {
    if (flag.kind !== 'value') return []
    const index = columnIndex(head.path, head.columns, flag.column)
    const device = flag.device === undefined ? defaultDevice(context, roles) : { fixed: flag.device }
    const unit = flag.unit === undefined ? {} : { unit: { fixed: flag.unit } }
    const { metric, factor } = flag
    const name = head.columns[index]!
    return [
      { index, name, device, metric: { fixed: metric }, ...unit, ...roomOf(roles), factor, why: '--column' },
    ]
  })
}

function defaultDevice(context: GuessContext, roles: Roles): Field {
  const column = context.flags.device === undefined ? fieldOf(roles, 'device') : undefined
  return column ?? { fixed: context.device }
}

function roomOf(roles: Roles): { room?: Field } {
  const room = fieldOf(roles, 'room')
  return room ? { room } : {}
}

function documentedValue(
  context: GuessContext,
  roles: Roles,
  index: number,
  name: string,
  fact: Exclude<KnownColumn, { skip: string }>,
): ValueColumn {
  const device: Field =
    fact.device === '@column'
      ? defaultDevice(context, roles)
      : { fixed: fact.device === '@file' ? context.device : fact.device === '@name' ? name : fact.device }
  const room = fact.room === undefined ? roomOf(roles) : { room: { fixed: fact.room } }
  const { metric, unit } = fact
  return {
    index,
    name,
    device,
    metric: { fixed: metric },
    unit: { fixed: unit },
    ...room,
    factor: 1,
    why: 'documented',
  }
}

function byName(
  context: GuessContext,
  roles: Roles,
  time: TimeSource,
  index: number,
  name: string,
): Named | SkippedColumn {
  const { head } = context
  const cells = cellsOf(head, index)
  const style = head.styles[index] ?? '.'
  const filled = cells.map((cell) => parseCell(cell, style)).filter((value) => value !== null)
  const numbers = filled.filter((value) => value !== undefined)
  const skip = (why: string, meaning?: string): SkippedColumn => ({
    index,
    name,
    why,
    ...(meaning === undefined ? {} : { flag: columnFlag(name, meaning) }),
  })
  if (name === 'row_number' || /^unnamed: \d+$/i.test(name)) return { index, name, why: 'a row number' }
  const isTime = readTimeFormat(cells)
  if (isTime && !isEpoch(isTime)) {
    return { index, name, why: 'another time', flag: `--time ${quoted(name)}` }
  }
  if (filled.length > 0 && numbers.length < filled.length / 2)
    return { index, name, why: 'text, not a number' }
  if (filled.length === 0 && cells.length > 0)
    return { index, name, why: 'no value in the rows that were looked at' }
  const read = readName(name, numbers, head.units[index])
  const prefix = devicePrefix(context, roles)
  if (read.not !== undefined) return skip(read.not, `${prefix}METRIC:UNIT`)
  if (read.metric === undefined)
    return skip(`the name tells no metric${unitNote(read)}`, `${prefix}METRIC:${read.unit ?? 'UNIT'}`)
  if (read.unit === undefined)
    return skip('unit not stated', `${prefix}${read.metric}:${likelyUnit(read.metric, numbers) ?? 'UNIT'}`)
  const { unit, subject, why, metric } = read
  if (metric !== 'energy' && metric !== 'energy_total') return { index, name, metric, unit, subject, why }
  const verdict = readCounter(
    normalise(name),
    runsOf(context, roles, time, index),
    toCanonical('energy', unit)?.scale,
  )
  const other = verdict.counter ? 'energy' : 'energy_total'
  const hint = verdict.unsure
    ? `; if it is a meter’s register: ${columnFlag(name, `${prefix}${other}:${unit}`)}`
    : ''
  return {
    ...{ index, name, unit, subject },
    metric: verdict.counter ? 'energy_total' : 'energy',
    why: `${why}; ${verdict.why}${hint}`,
  }
}

const unitNote = (read: NameReading): string => (read.unit === undefined ? '' : ` (its unit is ${read.unit})`)

/** The device of a hint: where a column names the devices, it must not be replaced. */
const devicePrefix = (context: GuessContext, roles: Roles): string =>
  roles.device && context.flags.device === undefined ? '' : `${context.device}/`

/** The values of a column in order of time, apart by device and by the place in the file that they are from. */
function runsOf(context: GuessContext, roles: Roles, time: TimeSource, index: number): number[][] {
  const { head } = context
  const device = roles.device?.index
  const style = head.styles[index] ?? '.'
  return [head.sample, ...head.spread].flatMap((rows) => {
    const byDevice = new Map<string, number[]>()
    for (const row of rows) {
      const value = parseCell(row[index] ?? '', style)
      if (typeof value !== 'number') continue
      const key = device === undefined ? '' : (row[device] ?? '')
      const run = byDevice.get(key)
      if (run) run.push(value)
      else byDevice.set(key, [value])
    }
    const runs = [...byDevice.values()]
    return time.kind === 'column' && time.direction === 'backward' ? runs.map((run) => run.reverse()) : runs
  })
}

const columnFlag = (name: string, meaning: string): string => `--column ${quoted(`${name}=${meaning}`)}`

function flagFor(context: GuessContext, name: string, column: string | undefined): { flag?: string } {
  if (column === undefined) return {}
  return {
    flag: columnFlag(
      name,
      column.replace('DEVICE', () => context.device),
    ),
  }
}

const quoted = (text: string): string => `"${text.replace(/["\\$`]/g, '\\$&')}"`

/**
 * Where a column names the device, two columns of one metric would be one series, and each value replace the other: the
 * first is kept, the one that is called like the metric before others.
 */
function withoutRivals(named: readonly Named[]): { kept: Named[]; rivals: SkippedColumn[] } {
  const best = new Map<string, Named>()
  for (const one of named) {
    const rival = best.get(one.metric)
    if (!rival || (normalise(rival.name) !== one.metric && normalise(one.name) === one.metric))
      best.set(one.metric, one)
  }
  const kept = named.filter((one) => best.get(one.metric) === one)
  const rivals = named.flatMap((one) => {
    const { index, name, metric, unit } = one
    const taken = best.get(metric)!
    if (taken === one) return []
    const why = `the column ${taken.name} is the ${metric} of the same device already`
    return [{ index, name, why, flag: columnFlag(name, `${normalise(name)}:${unit}`) }]
  })
  return { kept, rivals }
}

/** One device for the file; where two columns hold the same metric, one device for each of these, by its name. */
function withDevices(context: GuessContext, roles: Roles, named: readonly Named[]): ValueColumn[] {
  const fixed = fieldOf(roles, 'device')
  const ofMetric = (metric: string) => named.filter((one) => one.metric === metric)
  return named.map(({ index, name, metric, unit, subject, why }) => {
    const rivals = ofMetric(metric)
    const alone = rivals.length === 1
    const own = rivals.filter((one) => one.subject === subject).length === 1 ? subject : name
    const prefixed = context.flags.device === undefined ? own : `${context.device}_${own}`
    const device: Field = alone || fixed ? defaultDevice(context, roles) : { fixed: prefixed }
    return {
      index,
      name,
      device,
      metric: { fixed: metric },
      unit: { fixed: unit },
      ...roomOf(roles),
      factor: 1,
      why,
    }
  })
}

/** Rows without a measurement: those of `--gap-when`, and those that a known data set has. */
export function gapsOf(context: GuessContext): GapRule[] {
  const { head, flags, known } = context
  const rules = (flags.gapWhen ?? []).map((text): GapRule => {
    const equals = text.lastIndexOf('=')
    if (equals < 1) {
      const detail = `--gap-when "${text}" is not of the form COL=VALUE`
      throw new HomeostatError('mapping_unclear', { file: head.path, detail })
    }
    const index = columnIndex(head.path, head.columns, text.slice(0, equals))
    const value = text.slice(equals + 1).trim()
    return { index, value, zeros: [], why: `${head.columns[index]} = ${value}` }
  })
  if (!known?.gap || rules.length > 0) return rules
  const index = columnIndex(head.path, head.columns, known.gap.column)
  const facts = known.columns(0)
  const zeros = head.columns.flatMap((name, at) => (facts[name.toLowerCase()] && at !== index ? [at] : []))
  const why = `${head.columns[index]} = ${known.gap.value} and every other value 0`
  return [{ index, value: known.gap.value, zeros, why }]
}
