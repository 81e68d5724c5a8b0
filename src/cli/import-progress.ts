import type { Place } from '../sources/csv/records.ts'
import type { ImportCounts } from '../sources/csv.ts'
import { count, megabytes } from './import-text.ts'
import { lineNowAndThen, type Output, startBar } from './progress.ts'

/** Shows how far an import is: a bar on a terminal, a line every few seconds elsewhere. */
export interface Progress {
  update(place: Place, counts: ImportCounts): void
  stop(): void
}

/** `from` is the byte that the import begins at. */
export function importProgress(out: Output, bytes: number, from: number): Progress {
  return out.isTTY ? bar(out, bytes, from) : lines(out, bytes)
}

function bar(out: Output, bytes: number, from: number): Progress {
  const all = megabytes(bytes)
  const shown = startBar(out, {
    format: '{bar} {percentage} % | {done} of {all} | {rate} rows/s',
    columns: 80,
    total: bytes,
    from,
    fields: { done: megabytes(from), all, rate: '-' },
  })
  const startedMs = performance.now()
  let rowsBefore: number | undefined
  return {
    update({ offset }, { rows }) {
      rowsBefore ??= rows
      const seconds = (performance.now() - startedMs) / 1000
      const rate = count(Math.round((rows - rowsBefore) / seconds))
      shown.update(offset, { done: megabytes(offset), all, rate })
    },
    stop: shown.stop,
  }
}

function lines(out: Output, bytes: number): Progress {
  const say = lineNowAndThen(out)
  let rowsBefore = 0
  return {
    update({ offset }, { rows, readings }) {
      say((sinceMs) => {
        const rate = count(Math.round((rows - rowsBefore) / (sinceMs / 1000)))
        rowsBefore = rows
        const share = bytes === 0 ? 100 : Math.floor((100 * offset) / bytes)
        const far = `${share} %, ${megabytes(offset)} of ${megabytes(bytes)}`
        return `${far}, ${count(readings)} readings, ${rate} rows/s`
      })
    },
    stop: () => undefined,
  }
}
