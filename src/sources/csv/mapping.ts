import { HomeostatError } from '../../core/errors.ts'
import { knownMetrics } from '../../core/units.ts'
import type { NumberStyle } from './numbers.ts'
import type { SeriesMeaning } from './series-meaning.ts'
import type { TimeFormat } from './time.ts'
import type { Direction } from './wall-clock.ts'

/** A field of a reading: the same for every row, or the text of a column (by index). */
export type Field = { readonly fixed: string } | { readonly column: number }

/** A column whose cells become readings. */
export interface ValueColumn {
  readonly index: number
  readonly name: string
  readonly device: Field
  readonly metric: Field
  /** Absent: the metric's canonical unit, as for any reading that names none. */
  readonly unit?: Field
  readonly room?: Field
  readonly factor: number
  /** Why this mapping, for the user. */
  readonly why: string
}

/** A column whose cells say that a sensor saw something, e.g. a PIR's room: every row is a reading of 1. */
export interface EventColumn {
  readonly index: number
  readonly name: string
  readonly device: { readonly column: number }
  /** The first rule whose pattern fits the device decides; `room` takes the cell as the room. */
  readonly rules: readonly { readonly device: RegExp; readonly metric: string; readonly room: boolean }[]
  readonly why: string
}

export interface SkippedColumn {
  readonly index: number
  readonly name: string
  readonly why: string
  /** What to add to the command to have it all the same. */
  readonly flag?: string
}

/** A column that says something about the others in its row. */
export interface RoleColumn {
  readonly index: number
  readonly name: string
  readonly role: 'time' | 'clock' | 'device' | 'metric' | 'unit' | 'room' | 'site' | 'series'
  readonly why: string
}

/** Rows in which nothing was measured: the cell equals `value`, and all of `zeros` are 0. */
export interface GapRule {
  readonly index: number
  readonly value: string
  readonly zeros: readonly number[]
  readonly why: string
}

/** Series by the texts of their key columns; rows of other series are left out. */
export interface SeriesTable {
  readonly keys: readonly number[]
  readonly meanings: Readonly<Record<string, SeriesMeaning>>
}

/** A column whose header is a time: of its own (`at`, UTC ms), or of the day that the row names. */
export type TimedCell =
  | { readonly index: number; readonly at: number }
  | { readonly index: number; readonly clock: string }

/** Where a row's time comes from. */
export type TimeSource =
  | {
      readonly kind: 'column'
      readonly index: number
      readonly format: TimeFormat
      readonly zone: string
      /** Where the zone is from, for the user; absent where it is a default. */
      readonly zoneWhy?: string
      /** Which way the rows run, for the hour that autumn repeats. */
      readonly direction: Direction
      /** A second column with the time of day, where `index` holds the day only. */
      readonly clock?: number
      /** A second column with the number of the hour; the first hour of a day is 0 or 1. */
      readonly hour?: { readonly index: number; readonly first: 0 | 1 }
    }
  | { readonly kind: 'steps'; readonly start: number; readonly everyMs: number }
  /** The header holds the times: see `Mapping.cells`. */
  | { readonly kind: 'header'; readonly zone: string; readonly zoneWhy?: string }

/** What becomes of every column of a file. */
export interface Mapping {
  readonly format: 'long' | 'wide'
  readonly width: number
  /** By column: how its numbers are written. */
  readonly styles: readonly NumberStyle[]
  readonly time: TimeSource
  readonly site?: Field
  readonly values: readonly ValueColumn[]
  readonly events: readonly EventColumn[]
  readonly roles: readonly RoleColumn[]
  readonly skipped: readonly SkippedColumn[]
  readonly gaps: readonly GapRule[]
  /** Present where several series share the column of values: what each of them is. */
  readonly series?: SeriesTable
  /** Present where the times stand in the header: the columns of values, each with its time. */
  readonly cells?: readonly TimedCell[]
  /** Present where the rows of the file must be brought into its columns first. */
  readonly annotated?: true
  readonly notes: readonly string[]
}

/** The text of a row's time. */
export const timeText = (
  { index, clock }: { readonly index: number; readonly clock?: number },
  fields: readonly string[],
): string =>
  clock === undefined
    ? (fields[index] ?? '')
    : // a day may be written with its midnight: 2024-01-31 00:00:00
      `${fields[index]?.trim().split(/[ T]/, 1)[0]} ${fields[clock]?.trim()}`

/** One `--column`: a value with its meaning, or (`COL=@role`) a column about the others. */
export type ColumnFlag =
  | { readonly kind: 'role'; readonly column: string; readonly role: string }
  | {
      readonly kind: 'value'
      readonly column: string
      readonly device?: string
      readonly metric: string
      readonly unit?: string
      readonly factor: number
    }

export const roles = ['device', 'metric', 'value', 'unit', 'room', 'site'] as const

const isRole = (text: string): boolean => (roles as readonly string[]).includes(text)

/**
 * Reads `COL=device/metric:unit*factor`; device, unit and factor may be left out. Units hold slashes (m/s) and
 * devices colons (a MAC address), so the first slash before a bare metric name decides.
 * Throws `mapping_unclear`.
 */
export function parseColumnFlag(file: string, text: string): ColumnFlag {
  const equals = text.lastIndexOf('=')
  const column = text.slice(0, equals).trim()
  const meaning = text.slice(equals + 1).trim()
  const refuse = (detail: string) =>
    new HomeostatError('mapping_unclear', { file, detail: `--column "${text}" ${detail}` })
  if (equals < 1 || meaning === '') throw refuse('is not of the form COL=device/metric:unit')
  if (meaning.startsWith('@')) {
    const role = meaning.slice(1)
    if (!isRole(role)) throw refuse(`names no role; the roles are @${roles.join(', @')}`)
    return { kind: 'role', column, role }
  }
  const scaled = /^(.*)\*([^*]+)$/.exec(meaning)
  const factor = scaled ? Number(scaled[2]) : 1
  if (!Number.isFinite(factor) || factor === 0) throw refuse('has a factor that is not a number other than 0')
  const rest = scaled?.[1] ?? meaning
  const placeholder = /(^|[/:])(DEVICE|METRIC|UNIT)(?=$|[/:])/.exec(rest)?.[2]
  if (placeholder !== undefined)
    throw refuse(`still says ${placeholder}; put the ${placeholder.toLowerCase()} of the column there`)
  const bare = /^([^/:]+)(?::(.+))?$/.exec(rest)
  if (bare && (!rest.includes('/') || knownMetrics.includes(bare[1] ?? ''))) {
    return value(column, undefined, bare[1]!, bare[2], factor)
  }
  const full = /^(.+?)\/([^/:]+)(?::(.+))?$/.exec(rest)
  if (!full) throw refuse('is not of the form COL=device/metric:unit')
  return value(column, full[1], full[2]!, full[3], factor)
}

function value(
  column: string,
  device: string | undefined,
  metric: string,
  unit: string | undefined,
  factor: number,
): ColumnFlag {
  return {
    kind: 'value',
    column,
    metric: metric.trim(),
    factor,
    ...(device === undefined ? {} : { device: device.trim() }),
    ...(unit === undefined ? {} : { unit: unit.trim() }),
  }
}

/** Index of a column by its name (case decides only between two that differ in nothing else). Throws `column_unknown`. */
export function columnIndex(file: string, columns: readonly string[], name: string): number {
  const exact = columns.indexOf(name)
  if (exact >= 0) return exact
  const wanted = name.trim().toLowerCase()
  const found = columns.findIndex((column) => column.toLowerCase() === wanted)
  if (found >= 0) return found
  throw new HomeostatError('column_unknown', { file, column: name, columns: columns.join(', ') })
}

/** Roles as columns, for the user; the value has its own place. */
export function roleColumns(
  columns: readonly string[],
  found: Readonly<
    Partial<Record<RoleColumn['role'] | 'value', { readonly index: number; readonly why: string }>>
  >,
): RoleColumn[] {
  return Object.entries(found).flatMap(([role, { index, why }]) =>
    role === 'value' ? [] : [{ index, name: columns[index]!, role: role as RoleColumn['role'], why }],
  )
}
