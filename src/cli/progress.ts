import { Writable } from 'node:stream'
import { Presets, SingleBar } from 'cli-progress'

/** Where a command writes to. */
export interface Output {
  write(text: string): void
  readonly isTTY: boolean
}

/** A bar on a terminal. `value` runs up to `total`; `fields` fill the {placeholders} of the format. */
export interface Bar {
  update(value: number, fields: Readonly<Record<string, string>>): void
  stop(): void
}

export interface BarOptions {
  /** As cli-progress reads it: {bar}, {percentage} and the names of fields. */
  readonly format: string
  /** Width of a whole line in characters. */
  readonly columns: number
  readonly total: number
  readonly from: number
  readonly fields: Readonly<Record<string, string>>
}

/** Draws on any output, so that a test sees what a terminal would. */
export function startBar(out: Output, { format, columns, total, from, fields }: BarOptions): Bar {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      out.write(String(text))
      done()
    },
  })
  const bar = new SingleBar(
    {
      format,
      stream: Object.assign(stream, { isTTY: true, columns }),
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  bar.start(total, from, fields)
  return { update: (value, shown) => bar.update(value, shown), stop: () => bar.stop() }
}

const lineEveryMs = 5000

/**
 * For outputs that are no terminal: calls `line` when the last line is some seconds old, with the time since then,
 * and writes what it returns.
 */
export function lineNowAndThen(out: Output): (line: (sinceMs: number) => string) => void {
  let lastMs = performance.now()
  return (line) => {
    const ms = performance.now()
    if (ms - lastMs < lineEveryMs) return
    out.write(`${line(ms - lastMs)}\n`)
    lastMs = ms
  }
}
