import type { Command } from 'commander'
import { exitOf, HomeostatError } from '../core/errors.ts'
import type { Emit } from '../core/ports.ts'
import { parseReading } from '../core/reading.ts'
import { badFile, badPathFor, clearBadFile } from '../sources/csv/bad-file.ts'
import { guessMapping } from '../sources/csv/guess.ts'
import { type FileHead, readHead } from '../sources/csv/head.ts'
import type { Mapping } from '../sources/csv/mapping.ts'
import {
  fingerprint,
  type ImportState,
  loadState,
  removeState,
  saveState,
  stateFileOf,
} from '../sources/csv/resume.ts'
import { type Checkpoint, type ImportCounts, importCsv } from '../sources/csv.ts'
import type { ImportOptions, ImportSummary } from './import-options.ts'
import { importProgress } from './import-progress.ts'
import { describeMapping, describeSummary } from './import-text.ts'
import type { Output } from './progress.ts'

/** Registers the flags of the import. */
export function importFlags(command: Command): Command {
  const list = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]
  return command
    .option('--time <column>', 'column that holds the time')
    .option('--zone <zone>', 'zone of times without an offset, e.g. Europe/Paris (default: that of the site)')
    .option('--date-order <order>', 'dmy or mdy, where 3/4/2024 could be either')
    .option('--start <time>', 'time of the first row, for a file without a time column (with --every)')
    .option('--every <span>', 'distance of two rows, e.g. 1s, 15m, 1h (with --start)')
    .option('--site <id>', 'site that the readings belong to')
    .option('--format <format>', 'long (a metric column and a value column) or wide (a column per sensor)')
    .option(
      '--column <mapping>',
      'what a column is: "COL=device/metric:unit", also "...:unit*0.001"; repeatable; "COL=@device", @metric, @value, @unit, @room, @site for columns about the row; COL is a series where several share a column, "*" where the times are the header',
      list,
    )
    .option('--device <id>', 'device of columns that name none (default: the name of the file)')
    .option('--delimiter <char>', 'comma, semicolon, "tab" or | (default: guessed)')
    .option('--decimal <char>', 'decimal sign of all columns, . or , (default: by the numbers of each)')
    .option('--gap-when <condition>', 'rows in which nothing was measured: "COL=VALUE"; repeatable', list)
    .option('--dry-run', 'show the mapping and check every row, import nothing')
    .option('--bad <file>', 'where bad rows go (default: FILE.bad.csv)')
    .option(
      '--skip-bad-rows',
      'end with success although rows were bad; they are counted and kept all the same',
    )
    .option('--restart', 'start over instead of going on where an interrupted import stopped')
}

/**
 * Imports a CSV file. Shows the mapping before anything is done, then the progress and the result. Rejects with
 * `file_unreadable`, `column_unknown` or `mapping_unclear` before anything is imported, and with what `emit` rejects
 * with: then everything before the place that was shown is kept, and the same command goes on from there.
 */
export async function importFile(
  options: ImportOptions,
  emit: Emit,
  out: Output,
  signal: AbortSignal,
): Promise<ImportSummary> {
  const head = await readHead(options.file, headOptions(options))
  const mapping = guessMapping(head, options)
  out.write(describeMapping(head, mapping))
  requireValues(head, mapping)

  const dryRun = options.dryRun === true
  const store =
    dryRun || options.stateFolder === undefined ? undefined : stateFileOf(options.stateFolder, head)
  const state = await stateToResume(store, options, head, mapping, out)
  const badPath = options.bad ?? (await badPathFor(options.file))
  if (!state) await clearBadFile(badPath)
  const bad = badFile(badPath, state?.badBytes ?? 0)
  const keeper = stateKeeper(store, fingerprint(mapping, head), () => bad.sync())
  const progress = importProgress(out, head.bytes, state?.place.offset ?? 0)
  const startedMs = performance.now()
  let result: { counts: ImportCounts; finished: boolean }
  try {
    result = await importCsv(
      {
        head,
        mapping,
        ...(state ? { from: { place: state.place, counts: state.counts } } : {}),
        emit: dryRun ? checkOnly() : emit,
        onBad: (rows) => bad.add(rows),
        onProgress: (place, counts) => progress.update(place, counts),
        onCheckpoint: (checkpoint) => keeper.keep(checkpoint),
      },
      signal,
    )
    if (result.finished && store !== undefined) await removeState(store)
    else await keeper.flush()
  } catch (error) {
    progress.stop()
    await keeper.flush()
    if (keeper.line() !== undefined) out.write(`Stopped. ${howToGoOn(keeper.line())}\n`)
    throw error
  } finally {
    progress.stop()
    await bad.close()
  }
  const { counts, finished } = result
  const summary: ImportSummary = {
    ...counts,
    file: options.file,
    dryRun,
    finished,
    ...(state ? { resumedAtLine: state.place.line } : {}),
    ...(counts.badRows > 0 ? { badFile: badPath } : {}),
    seconds: (performance.now() - startedMs) / 1000,
    exitCode: finished ? (options.skipBadRows ? 0 : Math.min(counts.badRows, 1)) : 130,
  }
  out.write(describeSummary(summary, mapping, state?.counts.readings ?? 0))
  if (!finished && !dryRun) out.write(`${howToGoOn(keeper.line())}\n`)
  return summary
}

function headOptions(options: ImportOptions): { delimiter?: string; decimal?: string } {
  const { file, delimiter, decimal, dateOrder } = options
  const refuse = (detail: string) => new HomeostatError('mapping_unclear', { file, detail })
  const given: { delimiter?: string; decimal?: string } = {}
  if (delimiter !== undefined) {
    const char = /^(tab|\\t)$/i.test(delimiter) ? '\t' : delimiter
    if (char.length !== 1 || char === '"' || char === '\n')
      throw refuse(`--delimiter "${delimiter}" is not one character`)
    given.delimiter = char
  }
  if (dateOrder !== undefined && dateOrder !== 'dmy' && dateOrder !== 'mdy') {
    throw refuse(`--date-order "${dateOrder}" is neither dmy nor mdy`)
  }
  if (decimal !== undefined) {
    if (decimal !== '.' && decimal !== ',') throw refuse(`--decimal "${decimal}" is neither . nor ,`)
    given.decimal = decimal
  }
  return given
}

function requireValues(head: FileHead, mapping: Mapping): void {
  if (mapping.values.length + mapping.events.length > 0) return
  const detail =
    'of no column both metric and unit are known, so nothing was imported; say what a column is by --column "COL=device/metric:unit"'
  throw new HomeostatError('mapping_unclear', { file: head.path, detail })
}

async function stateToResume(
  store: string | undefined,
  options: ImportOptions,
  head: FileHead,
  mapping: Mapping,
  out: Output,
): Promise<ImportState | undefined> {
  const state = store === undefined ? undefined : await loadState(store)
  if (!state || options.restart === true) return undefined
  if (state.mapping !== fingerprint(mapping, head)) {
    out.write('An earlier import of this file was interrupted, but had another mapping: starting over.\n\n')
    return undefined
  }
  const share = Math.floor((100 * state.place.offset) / head.bytes)
  out.write(
    `Going on at line ${state.place.line} (${share} %), where an earlier import stopped; --restart starts over.\n\n`,
  )
  return state
}

const howToGoOn = (line: number | undefined): string =>
  line === undefined
    ? 'Run the same command again to import the file; what is in already is not taken twice.'
    : `Everything before line ${line} is kept. Run the same command again to go on from there.`

const saveEveryMs = 1000

/** Writes the newest checkpoint at most once a second; `flush` writes what waits. */
function stateKeeper(
  store: string | undefined,
  mapping: string,
  syncBad: () => Promise<number>,
): { keep(checkpoint: Checkpoint): Promise<void>; flush(): Promise<void>; line(): number | undefined } {
  let waiting: ImportState | undefined
  let line: number | undefined
  let savedMs = performance.now()
  const flush = async (): Promise<void> => {
    if (store === undefined || !waiting) return
    const state = waiting
    waiting = undefined
    await saveState(store, state)
    savedMs = performance.now()
  }
  return {
    async keep({ place, counts }) {
      if (store === undefined) return
      line = place.line
      waiting = { mapping, place, counts, badBytes: await syncBad() }
      if (performance.now() - savedMs >= saveEveryMs) await flush()
    },
    flush,
    line: () => line,
  }
}

/** Checks readings as the hub would, and keeps none. */
function checkOnly(): Emit {
  const context = { now: Date.now(), defaultSite: 'home', maxFutureMs: 600_000, dayStart: () => 0 }
  return async (batch) => {
    const rejected = batch.flatMap((raw, index) => {
      const parsed = parseReading(raw, context)
      return parsed.ok ? [] : [{ index, problem: parsed.problem }]
    })
    return { accepted: batch.length - rejected.length, rejected }
  }
}

/** The exit code of a command that failed with `error`. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof HomeostatError ? exitOf(error.code) : 70
