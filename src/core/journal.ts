import type { DeviceChange } from './device.ts'
import type { Command } from './event.ts'
import type { Reading } from './reading.ts'
import type { LedgerTurn } from './turn.ts'

/** What one frame of the journal holds. */
export type JournalEntry =
  | TurnEntry
  | { readonly kind: 'site-removed'; readonly site: string }
  | { readonly kind: 'device-changed'; readonly change: DeviceChange }

/** Everything of one turn: what an acknowledgement promises. */
export interface TurnEntry {
  readonly kind: 'turn'
  /** Measured and derived. */
  readonly readings: readonly Reading[]
  /** What belongs into the ledger. */
  readonly facts: LedgerTurn
  readonly commands: readonly Command[]
}

/** An entry as it was written. */
export interface JournalFrame {
  /** Rises by one from frame to frame, from 1 on. */
  readonly position: number
  /** When it was appended, UTC ms. */
  readonly at: number
  readonly entry: JournalEntry
}

/** Where an entry was written. */
export interface Written {
  readonly position: number
  /** Length of the frame. */
  readonly bytes: number
}

/** The frames that a journal holds. `last` is one less than `first` where it holds none. */
export interface JournalSpan {
  readonly first: number
  readonly last: number
  /** Bytes at its end that are no whole frame: a write that a crash cut short; nobody was told that it was done. */
  readonly cutBytes: number
}

/** What an acknowledgement waits for: one durable append a turn. The stores follow later (engine/projector.ts). */
export interface Journal {
  /**
   * Call once, before anything else. Further frames get positions above `after`, the highest one that a store knows.
   * A disk without room does not keep it from opening: `makeRoom` then tells why nothing can be appended.
   * Rejects with `journal_damaged` where frames at its end are damaged that were durable once.
   */
  open(after: number): Promise<JournalSpan>
  /**
   * Durable when it resolves. Frames are in call order; calls may overlap and then share one wait for the disk. `at`: UTC
   * ms. Resolves with undefined where nothing is left to do for the stores, because they were written directly. Rejects
   * with the engine's own error when the disk fails; the entry is then not in the journal, and the next call may succeed.
   */
  append(entry: JournalEntry, at: number): Promise<Written | undefined>
  /**
   * Frames after a position, oldest first, to the newest one at the time of the call.
   * Rejects with `journal_damaged`, which names segment and offset, at a frame that cannot be read.
   */
  read(after: number): AsyncIterable<JournalFrame>
  /** Frames up to here may go as soon as the stores have them; those above share a segment with the newest. */
  readonly releasable: number
  /** The stores have everything up to `position` on disk: it need not be kept where it was appended before `keepFrom`, UTC ms. */
  release(position: number, keepFrom: number): Promise<void>
  /** Resolves when further frames can be taken, rejects with the reason while none can. */
  makeRoom(): Promise<void>
  /** On disk. */
  readonly bytes: number
  close(): Promise<void>
}
