import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CsvCell, CsvColumn } from '../contract/csv.ts'
import { csvHeader, csvRow } from '../core/csv-text.ts'
import { HomeostatError } from '../core/errors.ts'
import { fsyncFolder } from '../stores/fsync-folder.ts'

export type ExportFormat = 'csv' | 'parquet' | 'json'
export const exportFormats: readonly ExportFormat[] = ['csv', 'parquet', 'json']

/** A file that appears under its name when it is whole. */
export interface ExportFile {
  write(rows: Iterable<readonly CsvCell[]>): Promise<void>
  /** Puts the file in its place; returns its length in bytes. */
  finish(): Promise<number>
  /** Leaves nothing behind; harmless after `finish`. */
  discard(): Promise<void>
}

/** Text that is written at a time. */
const chunkChars = 1024 * 1024

/** Rejects with `file_unreadable` where the file cannot be written. */
export async function exportFile(
  path: string,
  format: ExportFormat,
  columns: readonly CsvColumn[],
): Promise<ExportFile> {
  const temporary = `${path}.${process.pid}.tmp`
  // DuckDB writes the Parquet file from a CSV file, so that memory does not grow with the rows
  const rowsPath = format === 'parquet' ? `${temporary}.csv` : temporary
  const guard = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (error) {
      const detail = `it cannot be written (${error instanceof Error ? error.message : String(error)})`
      throw new HomeostatError('file_unreadable', { file: path, detail }, error)
    }
  }
  let handle: FileHandle | undefined = await guard(() => open(rowsPath, 'w'))
  const close = async (): Promise<void> => {
    await handle?.close()
    handle = undefined
  }
  const text = format === 'json' ? jsonText(columns) : csvText(columns, format === 'csv')
  let waiting = text.head
  const flush = async (): Promise<void> => {
    await handle?.appendFile(waiting)
    waiting = ''
  }
  return {
    write: (rows) =>
      guard(async () => {
        for (const row of rows) {
          waiting += text.row(row)
          if (waiting.length >= chunkChars) await flush()
        }
      }),
    finish: () =>
      guard(async () => {
        waiting += text.tail
        await flush()
        if (format === 'parquet') {
          await close()
          const { writeParquet } = await import('./export-parquet.ts')
          await writeParquet(rowsPath, temporary, columns)
          await rm(rowsPath)
        }
        await close()
        const bytes = await synced(temporary)
        await rename(temporary, path)
        await fsyncFolder(dirname(path))
        return bytes
      }),
    async discard() {
      await close()
      for (const left of [temporary, rowsPath]) await rm(left, { force: true })
    },
  }
}

async function synced(path: string): Promise<number> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}

interface RowText {
  readonly head: string
  row(row: readonly CsvCell[]): string
  readonly tail: string
}

/** `guarded`: safe to open in a spreadsheet. */
const csvText = (columns: readonly CsvColumn[], guarded: boolean): RowText => ({
  head: csvHeader(columns),
  row: (row) => csvRow(columns, row, guarded),
  tail: '',
})

/** A list of objects, one a line; times in ISO 8601, absent fields left out. */
function jsonText(columns: readonly CsvColumn[]): RowText {
  let before = '\n'
  return {
    head: '[',
    row(row) {
      const fields = columns.flatMap(({ name, kind }, index) => {
        const cell = row[index]
        if (cell === undefined || cell === null) return []
        return [[name, kind === 'time' ? new Date(Number(cell)).toISOString() : cell] as const]
      })
      const line = `${before}${JSON.stringify(Object.fromEntries(fields))}`
      before = ',\n'
      return line
    },
    tail: '\n]\n',
  }
}
