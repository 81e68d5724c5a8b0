import { lineNowAndThen, type Output, startBar } from './progress.ts'

export interface SimulateProgress {
  /** Home `index` has come to `at`; `readings` are all that were sent so far. */
  update(index: number, at: number, readings: number): void
  stop(): void
}

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
  const shown = startBar(out, {
    format: '{bar} {percentage} % | {text} | {rate}/s',
    columns: 100,
    total: 1000,
    from: 0,
    fields: { text: '', rate: '-' },
  })
  return {
    update: (share, text, rate) => shown.update(Math.round(1000 * share), { text, rate }),
    stop: shown.stop,
  }
}

function lines(out: Output): Show {
  const writeLine = lineNowAndThen(out)
  return {
    update(share, text, rate) {
      const percent = share > 0 ? `${Math.floor(100 * share)} %, ` : ''
      writeLine(() => `${percent}${text}, ${rate}/s`)
    },
    stop: () => undefined,
  }
}
