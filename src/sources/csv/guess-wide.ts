import { HomeostatError } from '../../core/errors.ts'
import { canonicalUnit } from '../../core/units.ts'
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
import { type NameReading, readName } from './names.ts'
import { parseCell } from './rows.ts'
import { readTimeFormat } from './time.ts'

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
      const found = byName(context, index, name)
      if ('metric' in found) named.push(found)
      else skipped.push(found)
    }
  }
  values.push(...withDevices(context, roles, named))
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

function byName(context: GuessContext, index: number, name: string): Named | SkippedColumn {
  const { head } = context
  const cells = cellsOf(head, index)
  const filled = cells.map((cell) => parseCell(cell, head.decimalComma)).filter((value) => value !== null)
  const numbers = filled.filter((value) => value !== undefined)
  const skip = (why: string, column?: string): SkippedColumn => ({
    index,
    name,
    why,
    ...flagFor(context, name, column),
  })
  if (name === 'row_number' || /^unnamed: \d+$/i.test(name)) return { index, name, why: 'a row number' }
  const isTime = readTimeFormat(cells)
  if (isTime && !isTime.startsWith('epoch')) {
    return { index, name, why: 'another time', flag: `--time ${quoted(name)}` }
  }
  if (filled.length > 0 && numbers.length < filled.length / 2)
    return { index, name, why: 'text, not a number' }
  const read = readName(name, numbers)
  const device = 'DEVICE'
  if (read.not !== undefined) return skip(read.not, `${device}/METRIC:UNIT`)
  if (read.metric === undefined)
    return skip(`the name tells no metric${unitNote(read)}`, `${device}/METRIC:UNIT`)
  if (read.unit === undefined) {
    return skip('unit not stated', `${context.device}/${read.metric}:${canonicalUnit(read.metric) ?? 'UNIT'}`)
  }
  const { unit, subject, why } = read
  const isCounter = read.metric === 'energy' && risesThroughout(numbers)
  return isCounter
    ? { index, name, metric: 'energy_total', unit, subject, why: `${why}; it only rises, so it is a meter` }
    : { index, name, metric: read.metric, unit, subject, why }
}

const unitNote = (read: NameReading): string => (read.unit === undefined ? '' : ` (its unit is ${read.unit})`)

/** A meter's register: never falls, and rises more than once. Energies of intervals go up and down. */
function risesThroughout(values: readonly number[]): boolean {
  if (values.length < 10) return false
  const first = values[0]!
  const last = values.at(-1)!
  return last > first && values.every((value, index) => index === 0 || value >= values[index - 1]!)
}

function flagFor(context: GuessContext, name: string, column: string | undefined): { flag?: string } {
  if (column === undefined) return {}
  const meaning = column.replace('DEVICE', () => context.device)
  return { flag: `--column ${quoted(`${name}=${meaning}`)}` }
}

const quoted = (text: string): string => `"${text.replace(/["\\$`]/g, '\\$&')}"`

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
