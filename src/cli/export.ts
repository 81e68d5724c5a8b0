import type { ExportFile } from './export-file.ts'
import type { ExportTable } from './export-lists.ts'
import { count, megabytes } from './import-text.ts'
import { lineNowAndThen, type Output, startBar } from './progress.ts'

export interface ExportSummary {
  readonly rows: number
  /** Of the file; 0 when it was stopped. */
  readonly bytes: number
  /** False when it was stopped: there is no file then. */
  readonly finished: boolean
  /** 0 done, 130 stopped. */
  readonly exitCode: number
}

/**
 * Writes every row of the table. Where it is stopped, or a page or the disk fails, no file is left, and an older file of
 * the same name stays as it was.
 */
export async function exportRows(
  table: ExportTable,
  file: ExportFile,
  out: Output,
  signal: AbortSignal,
): Promise<ExportSummary> {
  const progress = progressOn(out)
  let rows = 0
  try {
    for await (const page of table.pages()) {
      if (signal.aborted) return { rows, bytes: 0, finished: false, exitCode: 130 }
      const written = Array.from(page.rows)
      await file.write(written)
      rows += written.length
      progress.update(page.share, rows)
    }
    if (signal.aborted) return { rows, bytes: 0, finished: false, exitCode: 130 }
    return { rows, bytes: await file.finish(), finished: true, exitCode: 0 }
  } finally {
    progress.stop()
    await file.discard()
  }
}

export const describeExport = ({ finished, rows, bytes }: ExportSummary, path: string): string =>
  finished
    ? `Exported ${count(rows)} rows to ${path} (${megabytes(bytes)}).\n`
    : `Stopped after ${count(rows)} rows; ${path} was not written.\n`

interface Progress {
  /** `share` is 0 to 1. */
  update(share: number, rows: number): void
  stop(): void
}

/** A bar on a terminal, a line every few seconds elsewhere. */
function progressOn(out: Output): Progress {
  if (!out.isTTY) {
    const write = lineNowAndThen(out)
    return {
      update: (share, rows) => write(() => `${Math.floor(100 * share)} %, ${count(rows)} rows`),
      stop: () => undefined,
    }
  }
  const format = '{bar} {percentage} % | {rows} rows'
  const bar = startBar(out, { format, columns: 80, total: 1, from: 0, fields: { rows: '0' } })
  return { update: (share, rows) => bar.update(share, { rows: count(rows) }), stop: bar.stop }
}
