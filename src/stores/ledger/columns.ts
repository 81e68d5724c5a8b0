import type { CreateTableBuilder, RawBuilder } from 'kysely'
import { sql } from './kysely.ts'

/** The column types that SQLite and PostgreSQL do not spell alike. */
export interface ColumnTypes {
  /** A number that the database counts up, as primary key. */
  readonly counter: DataType
  /** Text that sorts by its bytes, whatever the language of the server. */
  readonly text: DataType
  readonly bytes: DataType
}

/** As Kysely's `addColumn` takes it: one of its own names, or an SQL snippet. */
export type DataType = Parameters<CreateTableBuilder<string, never>['addColumn']>[1]

/** The key of a series. */
export const series =
  (text: DataType) =>
  <Name extends string>(table: CreateTableBuilder<Name, never>) =>
    table
      .addColumn('site', text, (column) => column.notNull())
      .addColumn('device', text, (column) => column.notNull())
      .addColumn('metric', text, (column) => column.notNull())

/** The key of a target. */
export const target =
  (text: DataType) =>
  <Name extends string>(table: CreateTableBuilder<Name, never>) =>
    table
      .addColumn('site', text, (column) => column.notNull())
      .addColumn('domain', text, (column) => column.notNull())
      .addColumn('subject', text, (column) => column.notNull())

/** The model that made a prediction. */
export const model =
  (text: DataType) =>
  <Name extends string, Column extends string>(table: CreateTableBuilder<Name, Column>) =>
    table
      .addColumn('model_name', text, (column) => column.notNull())
      .addColumn('model_version', text, (column) => column.notNull())
      .addColumn('model_kind', text, (column) =>
        column.notNull().check(sql`model_kind in ('learned', 'naive')`),
      )

/** For lists of all targets or devices: what a removal hides has the record separator in its name (core/device.ts). */
export const shown = (column: string): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(column)} not like ${'%\u001e%'}`
