import type { MappingFlags } from '../sources/csv/guess-context.ts'
import type { ImportCounts } from '../sources/csv.ts'

/** The flags of `homeostat import FILE`, as commander hands them over, and where its state is kept. */
export interface ImportOptions extends MappingFlags {
  readonly file: string
  readonly delimiter?: string
  readonly decimal?: string
  readonly dryRun?: boolean
  readonly bad?: string
  readonly restart?: boolean
  readonly skipBadRows?: boolean
  /** Data folder; the place of an interrupted import is kept in its `imports/`. Absent: it is not kept. */
  readonly stateFolder?: string
}

export interface ImportSummary extends ImportCounts {
  readonly file: string
  readonly dryRun: boolean
  /** False when it was stopped before the end of the file. */
  readonly finished: boolean
  /** Line that it began with, when an earlier import was gone on with. */
  readonly resumedAtLine?: number
  /** Where the bad rows are, if there are any. */
  readonly badFile?: string
  readonly seconds: number
  /** 0 all good (or `skipBadRows`), 1 some rows were bad, 130 interrupted. */
  readonly exitCode: number
}
