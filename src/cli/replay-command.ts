import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Projected } from '../engine/projection.ts'
import { type ConfigFlags, configFlag, configOf, parseMoment, stopSignal } from './flags.ts'
import { count } from './import-text.ts'
import { jsonText } from './lab-text.ts'
import { lineNowAndThen, type Output, startBar } from './progress.ts'
import type { OnReplayed, ReplaySummary } from './replay.ts'

interface ReplayFlags extends ConfigFlags {
  readonly from: string
  readonly data: string
  readonly until?: number
  readonly json?: boolean
}

/** Adds `replay`: restores a data folder from the journal of another one, up to a point in time. */
export function replayCommand(program: Command): void {
  configFlag(
    program.command('replay').description('restore to a point in time, from the journal of a folder'),
  )
    .requiredOption('--from <folder>', 'data folder whose journal is read; no hub may run on it')
    .requiredOption('--data <folder>', 'folder to restore: a copy of older stores, or an empty or new folder')
    .option(
      '--until <time>',
      'ISO 8601, UTC without an offset; what was stored later is left out',
      parseMoment,
    )
    .option('--json', 'one JSON object instead of text')
    .action(async ({ from, until, json = false, ...flags }: ReplayFlags) => {
      const config = configOf(flags)
      const { signal, release } = stopSignal()
      const out = { write: (text: string) => void process.stdout.write(text), isTTY: process.stdout.isTTY }
      // loaded here: it loads the stores
      const { replay } = await import('./replay.ts')
      const progress = json ? silent : progressOn(out)
      try {
        const options = { from: resolve(from), config, ...(until === undefined ? {} : { until }) }
        const { summary, failure } = await replay(options, progress.update, signal)
        progress.stop()
        out.write(json ? jsonText(summary) : describeReplay(summary))
        if (failure !== undefined) throw failure
        if (summary.end === 'stopped') process.exitCode = 130
      } finally {
        progress.stop()
        release()
      }
    })
}

interface Progress {
  readonly update: OnReplayed
  stop(): void
}

const silent: Progress = { update: () => undefined, stop: () => undefined }

/** A bar on a terminal, a line every few seconds elsewhere. */
export function progressOn(out: Output): Progress {
  const fieldsOf = ({ readings, lastAt = 0 }: Projected) => ({ readings: count(readings), at: iso(lastAt) })
  if (!out.isTTY) {
    const writeLine = lineNowAndThen(out)
    return {
      update: (projected, last) =>
        writeLine(() => {
          const { readings, at } = fieldsOf(projected)
          return `turn ${count(projected.position ?? 0)} of ${count(last)}, stored at ${at}, ${readings} readings`
        }),
      stop: () => undefined,
    }
  }
  let bar: ReturnType<typeof startBar> | undefined
  return {
    update(projected, last) {
      const { frames, position = last } = projected
      const fields = fieldsOf(projected)
      const format = '{bar} {percentage} % | {at} | {readings} readings'
      bar ??= startBar(out, { format, columns: 80, total: last - position + frames, from: frames, fields })
      bar.update(frames, fields)
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}

/** What was done, what was left out and what is missing. */
export function describeReplay(summary: ReplaySummary): string {
  const { data, until, end, frames, readings, firstAt, lastAt, left, journalEndsAt, seconds } = summary
  const isDone = end === 'journal' || end === 'until'
  const done = `${count(frames)} turns with ${count(readings)} readings into ${data} in ${seconds.toFixed(1)} s`
  const lines = [`${isDone ? 'Replayed' : 'Stopped'}: ${done}`]
  if (firstAt !== undefined && lastAt !== undefined)
    lines.push(`Stored from ${iso(firstAt)} to ${iso(lastAt)}`)
  if (left > 0) {
    const limit = until === null ? '' : ` after ${iso(until)}`
    lines.push(`Left out: ${count(left)} turns${limit}; the journal ends at ${iso(journalEndsAt)}`)
  } else if (summary.cutBytes > 0)
    lines.push('The journal ends in an incomplete write, which was never acknowledged.')
  if (summary.replacedJournal !== null)
    lines.push(`The journal that was in the folder is kept in ${summary.replacedJournal}`)
  if (isDone) lines.push(`Start a hub on it with: homeostat serve --data ${data}`)
  else if (end === 'stopped') lines.push('The same command goes on from there.')
  return `${lines.join('\n')}\n`
}

const iso = (at: number): string => new Date(at).toISOString()
