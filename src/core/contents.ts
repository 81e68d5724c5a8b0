/**
 * What the data folder is known to hold. It is kept beside the stores and written after each of their commits, so that
 * a store which lost something (a deleted file or log, an older copy, a damaged write-ahead log) is noticed at the start.
 */
export interface FolderContents {
  readonly folder: string
  /** As it was when the folder was opened; undefined for a new folder and for one of an earlier version. */
  readonly known: KnownContents | undefined
  /** The user wants the hub to go on without what is lost. */
  readonly acceptLoss: boolean
  /** Which stores have their files; call it before they are opened. */
  present(): Promise<PresentStores>
  /** Moves what is left of a lost store out of the way of a new one. */
  setAside(store: StoreName): Promise<void>
  /**
   * From now on lost stores are noticed. `isComplete`: see `KnownContents`; counts only where nothing was known. `journal`:
   * position of the newest turn that the journal or a store has.
   */
  begin(isComplete: boolean, journal: number): Promise<void>
  /** The turn at `position` is durable in the journal. */
  markJournal(position: number): void
  /** The ledger has made this change durable; see `KnownContents.ledger`. */
  markLedger(change: number): void
  close(): Promise<void>
}

export type StoreName = 'journal' | 'readings' | 'ledger'

export interface KnownContents {
  /** Position of the newest acknowledged turn. */
  readonly journal: number
  /** Number of the newest change of the ledger; it counts up with every transaction, beyond `changesMax` from 0 on. */
  readonly ledger: number
  /** The journal had its first turn before anything was stored: from turn 1 on it can rebuild the store of readings. */
  readonly isComplete: boolean
}

export interface PresentStores extends Readonly<Record<StoreName, boolean>> {
  /** Position of the first turn that the journal holds. */
  readonly journalFirst: number | undefined
}

/** The parts that the ledger needs. */
export type LedgerContents = Pick<FolderContents, 'folder' | 'known' | 'acceptLoss' | 'markLedger'>

/** The change after this one has the number 0. */
export const changesMax = 2 ** 31 - 1

/** Whether change `a` was made before change `b`, for numbers that begin again at 0. */
export const isEarlierChange = (a: number, b: number): boolean =>
  a !== b && (b - a + changesMax + 1) % (changesMax + 1) < (changesMax + 1) / 2
