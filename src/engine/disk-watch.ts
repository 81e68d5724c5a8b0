import type { Disk, DiskUsage } from '../core/disk.ts'
import type { Info } from '../core/life.ts'
import type { Clock, Ledger, Log } from '../core/ports.ts'
import { dayMs, secondMs } from '../core/time.ts'

export interface DiskWatchParts {
  readonly disk: Disk
  readonly ledger: Pick<Ledger, 'notes'>
  readonly clock: Clock
  readonly log: Log
}

export interface DiskWatchOptions {
  /** Share of the disk in use above which people are told, 0 to 1; 1: never. */
  readonly diskWarningShare: number
}

const everyMs = 10 * secondMs
/** So much must be free again before a further warning. */
const restShare = 0.05

/** Looks how full the disk of the data folder is, and warns people while there is time to do something about it. */
export class DiskWatch {
  readonly #parts: DiskWatchParts
  readonly #options: DiskWatchOptions
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined
  #usage: DiskUsage | undefined
  #isHigh = false
  #isUnknown = false
  /** A warning that the ledger did not take yet. */
  #owed: Info | undefined

  constructor(parts: DiskWatchParts, options: DiskWatchOptions) {
    this.#parts = parts
    this.#options = options
  }

  start(): void {
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  /** As it was at most 10 s ago; undefined where the disk cannot be asked. */
  get usage(): DiskUsage | undefined {
    return this.#usage
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#look()
      await this.#report()
      await this.#parts.clock.sleep(everyMs, signal)
    }
  }

  async #look(): Promise<void> {
    const { disk, log } = this.#parts
    try {
      this.#usage = await disk.usage()
      this.#isUnknown = false
    } catch (error) {
      this.#usage = undefined
      if (!this.#isUnknown) log.warn('How full the disk is cannot be found out.', { error: String(error) })
      this.#isUnknown = true
      return
    }
    const { usedShare } = this.#usage
    const { diskWarningShare } = this.#options
    if (!this.#isHigh && usedShare > diskWarningShare) this.#warn(this.#usage)
    if (usedShare > diskWarningShare) this.#isHigh = true
    else if (usedShare < diskWarningShare - restShare) this.#isHigh = false
  }

  #warn({ usedShare, freeBytes }: DiskUsage): void {
    const at = this.#parts.clock.now()
    const summary = `The disk of the data folder is ${Math.floor(100 * usedShare)} % full.`
    this.#parts.log.warn(summary, { freeBytes })
    this.#owed = {
      // a hub that is started again and again reports it once a day
      id: `disk-${Math.floor(at / dayMs)}`,
      ...{ at, site: null, level: 2, summary },
      detail: `${sizeText(freeBytes)} are free. Once it is full the hub refuses new readings, which their senders keep; alerts still leave. Make room, or keep readings for a shorter time (retention.readingsDays).`,
    }
  }

  async #report(): Promise<void> {
    if (!this.#owed) return
    try {
      await this.#parts.ledger.notes.putInfos([this.#owed])
      this.#owed = undefined
    } catch {
      // it is in the log, and goes into the ledger with the next look
    }
  }
}

const mib = 2 ** 20

const sizeText = (bytes: number): string =>
  bytes < 1024 * mib ? `${Math.floor(bytes / mib)} MB` : `${(bytes / 1024 / mib).toFixed(1)} GB`
