import { Writable } from 'node:stream'
import { Presets, SingleBar } from 'cli-progress'
import type { Place } from '../sources/csv/records.ts'
import type { ImportCounts } from '../sources/csv.ts'
import type { Output } from './import.ts'
import { count, megabytes } from './import-text.ts'

/** Shows how far an import is: a bar on a terminal, a line every few seconds elsewhere. */
export interface Progress {
  update(place: Place, counts: ImportCounts): void
  stop(): void
}

const lineEveryMs = 5000

/** `from` is the byte that the import begins at. */
export function importProgress(out: Output, bytes: number, from: number): Progress {
  return out.isTTY ? bar(out, bytes, from) : lines(out, bytes)
}

function bar(out: Output, bytes: number, from: number): Progress {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      out.write(String(text))
      done()
    },
  })
  const single = new SingleBar(
    {
      format: '{bar} {percentage} % | {done} of {all} | {rate} rows/s',
      stream: Object.assign(stream, { isTTY: true, columns: 80 }),
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  const startedMs = performance.now()
  let rowsBefore: number | undefined
  single.start(bytes, from, { done: megabytes(from), all: megabytes(bytes), rate: '-' })
  return {
    update(place, counts) {
      rowsBefore ??= counts.rows
      const seconds = (performance.now() - startedMs) / 1000
      const rate = count(Math.round((counts.rows - rowsBefore) / seconds))
      single.update(place.offset, { done: megabytes(place.offset), all: megabytes(bytes), rate })
    },
    stop: () => single.stop(),
  }
}

function lines(out: Output, bytes: number): Progress {
  let last = { ms: performance.now(), rows: 0 }
  return {
    update(place, counts) {
      const ms = performance.now()
      if (ms - last.ms < lineEveryMs) return
      const rate = count(Math.round((counts.rows - last.rows) / ((ms - last.ms) / 1000)))
      last = { ms, rows: counts.rows }
      const share = bytes === 0 ? 100 : Math.floor((100 * place.offset) / bytes)
      const far = `${share} %, ${megabytes(place.offset)} of ${megabytes(bytes)}`
      out.write(`${far}, ${count(counts.readings)} readings, ${rate} rows/s\n`)
    },
    stop: () => undefined,
  }
}
