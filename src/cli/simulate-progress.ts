import { Writable } from 'node:stream'
import { Presets, SingleBar } from 'cli-progress'

/** Where the command writes to. */
export interface Output {
  write(text: string): void
  readonly isTTY: boolean
}

export interface SimulateProgress {
  /** Home `index` has come to `at`; `readings` are all that were sent so far. */
  update(index: number, at: number, readings: number): void
  stop(): void
}

const lineEveryMs = 5_000

/** A bar on a terminal, a line every few seconds elsewhere and where there is no end to come to. */
export function simulateProgress(out: Output, homes: number, from: number, until: number): SimulateProgress {
  const reached = new Float64Array(homes)
  const startedMs = performance.now()
  const rate = (readings: number): string =>
    Math.round((readings * 1000) / Math.max(1, performance.now() - startedMs)).toLocaleString('en')
  const show = out.isTTY && Number.isFinite(until) ? bar(out) : lines(out)
  return {
    update(index, at, readings) {
      reached[index] = Math.min(1, (at - from) / (until - from))
      const share = reached.reduce((sum, part) => sum + part, 0) / homes
      show.update(
        share,
        `${new Date(at).toISOString()} | ${readings.toLocaleString('en')} readings`,
        rate(readings),
      )
    },
    stop: show.stop,
  }
}

interface Show {
  update(share: number, text: string, rate: string): void
  stop(): void
}

function bar(out: Output): Show {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      out.write(String(text))
      done()
    },
  })
  const single = new SingleBar(
    {
      format: '{bar} {percentage} % | {text} | {rate}/s',
      stream: Object.assign(stream, { isTTY: true, columns: 100 }),
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  single.start(1000, 0, { text: '', rate: '-' })
  return {
    update: (share, text, rate) => single.update(Math.round(1000 * share), { text, rate }),
    stop: () => single.stop(),
  }
}

function lines(out: Output): Show {
  let lastMs = performance.now()
  return {
    update(share, text, rate) {
      const ms = performance.now()
      if (ms - lastMs < lineEveryMs) return
      lastMs = ms
      const percent = share > 0 ? `${Math.floor(100 * share)} %, ` : ''
      out.write(`${percent}${text}, ${rate}/s\n`)
    },
    stop: () => undefined,
  }
}
