import type { DiskUsage } from '../core/disk.ts'
import { HomeostatError } from '../core/errors.ts'
import type { FrozenStores } from '../core/frozen.ts'
import type { Ledger, ReadingStore } from '../core/ports.ts'
import { requireStores } from './contents-check.ts'
import { DiskWatch } from './disk-watch.ts'
import type { EngineOptions, EngineParts } from './options.ts'
import { projectedLedger, projectedReadings } from './projected.ts'
import { Projector } from './projector.ts'

/** How the stores are doing. */
export interface StorageStatus {
  /** What the journal has and the stores lack. */
  readonly lag: { readonly frames: number; readonly bytes: number }
  /** The journal on disk. */
  readonly journalBytes: number
  /** Attempts to bring the stores up to the journal, since the start. */
  readonly projectionsFailed: number
  /** Parts of turns that went to quarantine because a store refuses them, since the start. */
  readonly partsRefused: number
  /** Undefined before the first look, and where the disk cannot be asked. */
  readonly disk: DiskUsage | undefined
}

/** The journal, the stores that follow it, and the watch over their disk. */
export class Storage {
  readonly projector: Projector
  /** As everybody but the projector sees them. */
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly #parts: EngineParts
  readonly #diskWatch: DiskWatch

  constructor(parts: EngineParts, options: EngineOptions) {
    this.#parts = parts
    this.projector = new Projector(parts, options)
    const flush = (): Promise<void> => this.projector.flush()
    this.readings = projectedReadings(parts.readings, flush)
    this.ledger = projectedLedger(parts.ledger, flush)
    this.#diskWatch = new DiskWatch(parts, options)
  }

  /** The stores hold everything of the journal when it resolves. Rejects with `data_lost` where something is lost. */
  async open(): Promise<void> {
    const { ledger, readings, contents } = this.#parts
    const isNew = contents === undefined || (await requireStores(contents))
    await ledger.open()
    await readings.open()
    const newest = await this.projector.open()
    await contents?.begin(isNew, newest)
    this.#diskWatch.start()
  }

  /** The files of both stores, at the same turn. All that was acknowledged before the call is in them. */
  async freeze(): Promise<FrozenStores> {
    const { freezable } = this.#parts
    if (!freezable)
      throw new HomeostatError('not_acceptable_state', { detail: 'Stores in memory cannot be backed up' })
    return this.projector.atPosition(async (position) => {
      const ledger = await freezable.ledger.freeze()
      try {
        const readings = await freezable.readings.freeze()
        const release = (): void => {
          ledger.release()
          readings.release()
        }
        return { position, files: [...readings.files, ...ledger.files], release }
      } catch (error) {
        ledger.release()
        throw error
      }
    })
  }

  async close(): Promise<void> {
    const { readings, ledger, contents, log } = this.#parts
    await this.#diskWatch.stop()
    for (const store of [this.projector, readings, ledger]) {
      // such as a log that a full disk has no room to merge: the next start reads it
      await store.close().catch((error: unknown) => {
        log.warn('A store could not be closed tidily; nothing acknowledged is lost.', {
          error: String(error),
        })
      })
    }
    await contents?.close()
  }

  /** Why nothing can be written at the moment; undefined when all is well. */
  get problem(): string | undefined {
    return this.projector.problem
  }

  get status(): StorageStatus {
    const { lag, journalBytes, failures, refused } = this.projector
    const { usage } = this.#diskWatch
    return { lag, journalBytes, projectionsFailed: failures, partsRefused: refused, disk: usage }
  }
}
