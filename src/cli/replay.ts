import { existsSync } from 'node:fs'
import { realpath, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createStores, journalFolderOf } from '../compose.ts'
import type { Config } from '../config/load.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Journal, JournalFrame } from '../core/journal.ts'
import { emptyFacts } from '../core/turn.ts'
import type { Positions } from '../engine/journal-report.ts'
import { type Projected, Projection, projectFrames } from '../engine/projection.ts'
import { claimFolder } from '../platform/folder.ts'
import { fsyncFolder } from '../stores/fsync-folder.ts'
import { type JournalReader, readFileJournal } from '../stores/journal/file.ts'

export interface ReplayOptions {
  /** Data folder whose journal is read. */
  readonly from: string
  /** Its stores take the frames. */
  readonly config: Config
  /** Frames that were appended later are left out, UTC ms; absent: all are taken. */
  readonly until?: number
}

/** Why no further frame was applied: there is none, the next one is too late, a signal, or the journal is broken there. */
export type ReplayEnd = 'journal' | 'until' | 'stopped' | 'broken'

export interface ReplaySummary extends Projected {
  readonly from: string
  readonly data: string
  readonly until: number | null
  readonly end: ReplayEnd
  /** Frames of the journal behind the last one that the stores have now. */
  readonly left: number
  /** When the newest frame of the journal was appended, UTC ms. */
  readonly journalEndsAt: number
  /** Bytes at its end that are no whole frame. */
  readonly cutBytes: number
  /** Where the journal is now that the folder had before; null where it had none. */
  readonly replacedJournal: string | null
  readonly seconds: number
}

export interface Replayed {
  readonly summary: ReplaySummary
  /** What is wrong with the journal where `end` is `broken`. */
  readonly failure: unknown
}

/** The stores have what was projected, of all frames up to the position `last`. */
export type OnReplayed = (projected: Projected, last: number) => void

/**
 * Applies the frames of a journal to the stores of another folder, each exactly once, in order; ends before the first one
 * that was appended later than `until`. No hub may hold either folder. Of the first folder nothing changes.
 *
 * Rejects with `not_found` without a journal, `data_locked`, `data_invalid` for the same folder twice, `replay_gap` or
 * `replay_newer` where the stores do not fit the journal, `store_failed`. A damaged frame or a gap further on ends it after
 * everything before was applied. When it ended early, the same call goes on after the last frame that was applied.
 */
export async function replay(
  options: ReplayOptions,
  onReplayed: OnReplayed,
  signal: AbortSignal,
): Promise<Replayed> {
  const { from, config } = options
  const folder = journalFolderOf(from)
  // a claim would make the folder
  if (!existsSync(folder)) throw new HomeostatError('not_found', { what: `journal in ${folder}` })
  const stops: (() => Promise<unknown>)[] = []
  try {
    const source = await claimFolder(from)
    stops.push(() => source.release())
    const journal = await readFileJournal({ folder })
    const target = await claimFolder(config.data)
    stops.push(() => target.release())
    if ((await realpath(from)) === (await realpath(config.data)))
      throw new HomeostatError('data_invalid', {
        detail: '--from and --data are the same folder; restore into another one',
      })
    const stores = createStores(config)
    await stores.readings.open()
    stops.push(() => stores.readings.close())
    await stores.ledger.open()
    stops.push(() => stores.ledger.close())
    const projection = new Projection(stores)
    return await replayInto({ projection, fresh: stores.journal, journal }, options, onReplayed, signal)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

interface ReplayParts {
  readonly projection: Projection
  /** Of the folder that is restored. */
  readonly fresh: Journal
  readonly journal: JournalReader
}

async function replayInto(
  { projection, fresh, journal }: ReplayParts,
  { from, config, until }: ReplayOptions,
  onReplayed: OnReplayed,
  signal: AbortSignal,
): Promise<Replayed> {
  const { data } = config
  const startedMs = performance.now()
  const found = await projection.open()
  const after = Math.min(found.readings, found.ledger)
  const selection = new Selection(journal, { after, until, signal, folders: { from, data } })
  await selection.check(found)
  const replacedJournal = await setJournalAside(data)
  const { last, cutBytes } = journal.span
  const projected = await project(projection, selection, (done) => onReplayed(done, last))
  const { end, failure } = selection
  if (end === 'journal' || end === 'until')
    await beginJournal(fresh, Math.max(found.readings, found.ledger, projected.position ?? 0))
  const summary = {
    ...{ from, data, until: until ?? null, end, ...projected },
    ...{ left: last - (projected.position ?? after), journalEndsAt: journal.lastAt },
    ...{ cutBytes, replacedJournal, seconds: (performance.now() - startedMs) / 1000 },
  }
  return { summary, failure }
}

async function project(
  projection: Projection,
  selection: Selection,
  onBatch: (projected: Projected) => void,
): Promise<Projected> {
  try {
    const projected = await projectFrames(projection, selection.frames(), onBatch)
    await projection.savePositions()
    return projected
  } catch (error) {
    throw new HomeostatError('store_failed', { detail: String(error) }, error)
  }
}

/** The frames of a journal that are to be applied, and why they end. */
class Selection {
  readonly #journal: JournalReader
  readonly #after: number
  readonly #until: number
  readonly #signal: AbortSignal
  readonly #folders: { readonly from: string; readonly data: string }
  end: ReplayEnd = 'journal'
  /** What is wrong with the journal behind the last frame. */
  failure: unknown

  constructor(
    journal: JournalReader,
    options: {
      readonly after: number
      readonly until: number | undefined
      readonly signal: AbortSignal
      readonly folders: { readonly from: string; readonly data: string }
    },
  ) {
    this.#journal = journal
    this.#after = options.after
    this.#until = options.until ?? Number.POSITIVE_INFINITY
    this.#signal = options.signal
    this.#folders = options.folders
  }

  /** Throws where these stores cannot become what they were at that time. */
  async check({ readings, ledger }: Positions): Promise<void> {
    const { data, from } = this.#folders
    const { first, last } = this.#journal.span
    if (last < first) throw new HomeostatError('not_found', { what: `turn in the journal of ${from}` })
    const position = Math.max(readings, ledger)
    const tooNew = (limit: string) => new HomeostatError('replay_newer', { folder: data, position, limit })
    if (position > last) throw tooNew(`turn ${last}, the last one of the journal in ${from}`)
    const newest = await this.#frameAfter(position - 1)
    if (newest?.position === position && newest.at > this.#until) throw tooNew(iso(this.#until))
    const next = await this.#frameAfter(this.#after)
    if (next) this.#requireNext(next, this.#after)
  }

  /** Ends after a frame that cannot be read or does not follow the one before: `failure` is the reason then. */
  async *frames(): AsyncGenerator<JournalFrame> {
    let position = this.#after
    try {
      for await (const frame of this.#journal.read(position)) {
        this.#requireNext(frame, position)
        if (this.#signal.aborted) this.end = 'stopped'
        else if (frame.at > this.#until) this.end = 'until'
        if (this.end !== 'journal') return
        position = frame.position
        yield frame
      }
    } catch (error) {
      this.end = 'broken'
      this.failure = error
    }
  }

  async #frameAfter(position: number): Promise<JournalFrame | undefined> {
    for await (const frame of this.#journal.read(position)) return frame
    return undefined
  }

  /** Throws `replay_gap` where frames between the two are missing. */
  #requireNext({ position: next, at }: JournalFrame, position: number): void {
    if (next === position + 1) return
    const { data, from } = this.#folders
    throw new HomeostatError('replay_gap', {
      ...{ journal: from, folder: data, position, next, at: iso(at), needed: next - 1 },
    })
  }
}

/** Frames of the journal that was copied with the stores must not be added to them at the next start. */
async function setJournalAside(data: string): Promise<string | null> {
  const folder = journalFolderOf(data)
  if (!existsSync(folder)) return null
  const aside = join(data, `replaced-journal-${Date.now()}`)
  await rename(folder, aside)
  await fsyncFolder(data)
  return aside
}

/** The hub that starts on the folder finds a journal that goes on where the stores end, and misses nothing. */
export async function beginJournal(journal: Journal, position: number): Promise<void> {
  await journal.open(position)
  await journal.append({ kind: 'turn', readings: [], facts: emptyFacts, commands: [] }, Date.now())
  await journal.close()
}

const iso = (at: number): string => new Date(at).toISOString()
