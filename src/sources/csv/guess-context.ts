import type { FileHead } from './head.ts'
import type { KnownSet } from './known.ts'
import type { ColumnFlag, Field, RoleColumn } from './mapping.ts'

/** What the user says about a file; everything else is guessed. */
export interface MappingFlags {
  readonly time?: string
  readonly zone?: string
  /** The zone of the site that the readings belong to, and what it is called for the user. */
  readonly siteZone?: { readonly zone: string; readonly why: string }
  readonly dateOrder?: string
  readonly start?: string
  readonly every?: string
  readonly site?: string
  readonly format?: string
  readonly column?: readonly string[]
  readonly device?: string
  readonly gapWhen?: readonly string[]
}

export interface GuessContext {
  readonly head: FileHead
  readonly flags: MappingFlags
  readonly columnFlags: readonly ColumnFlag[]
  readonly known: KnownSet | undefined
  /** The device of values that name none. */
  readonly device: string
}

export type Role = Exclude<RoleColumn['role'], 'series'> | 'value'

/** Which column plays which role, and how that is known. */
export type Roles = Partial<Record<Role, { readonly index: number; readonly why: string }>>

/** The column of a role as a field of the reading. */
export function fieldOf(roles: Roles, role: Role): Field | undefined {
  const found = roles[role]
  return found ? { column: found.index } : undefined
}

/** The cells of one column, of all rows that were looked at. */
export const cellsOf = (head: FileHead, index: number): string[] =>
  [head.sample, ...head.spread].flatMap((rows) => rows.map((row) => row[index] ?? ''))
