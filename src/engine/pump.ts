import { dayStartsOf } from '../core/calendar.ts'
import { type Problem, problem } from '../core/errors.ts'
import type { Alert } from '../core/event.ts'
import type { Emit, WindowStore } from '../core/ports.ts'
import { idLimits, type ParseContext, parseId } from '../core/reading.ts'
import type { Turn } from '../core/turn.ts'
import { Turns } from '../core/turns.ts'
import { admit } from './admit.ts'
import { Committer, type CommitterParts } from './committer.ts'
import { type Delivery, Inbox } from './inbox.ts'
import { quarantined } from './quarantine.ts'

export interface PumpParts extends Omit<CommitterParts, 'inbox'> {
  readonly windows: WindowStore
  /** Alerts leave through it before the commit. Must not block. */
  readonly onAlerts: (alerts: readonly Alert[]) => void
}

export interface PumpOptions {
  /** Site of a reading that names none. */
  readonly defaultSite: string
  /** Unanswered readings of one source; a further batch waits outside. */
  readonly inboxReadings: number
  /** Readings of one commit. */
  readonly turnReadings: number
  readonly series: number
  readonly maxFutureMs: number
}

/** Rows that are reacted to before other work has its turn. */
const sliceRows = 256
/** Rows after which a commit begins although more are in: a batch is not cut into many small commits. */
const commitRows = 4096
/**
 * Two loops. The first reacts to every batch as soon as it is in: parse, window, monitors; alerts leave. The second
 * commits what was reacted to, one turn after the other, and answers the senders. Neither waits for the other, except
 * that a source with a full quota waits for its commits.
 */
export class Pump {
  readonly #parts: PumpParts
  readonly #options: PumpOptions
  readonly #inbox: Inbox
  readonly #committer: Committer
  #reacting: Promise<void> | undefined
  readonly #alone = new Turns(1)
  /** Resolves when work that runs alone has ended. */
  #held: Promise<void> | undefined

  constructor(parts: PumpParts, options: PumpOptions) {
    this.#parts = parts
    this.#options = options
    this.#inbox = new Inbox(options.inboxReadings)
    this.#committer = new Committer({ ...parts, inbox: this.#inbox })
  }

  /** Readings without an answer. */
  get waiting(): number {
    return this.#inbox.unanswered
  }

  /** True where a further batch of the source would have to wait. */
  isFull(source: string): boolean {
    return this.#inbox.isFull(source)
  }

  /** Resolves when a turn has room for more rows of the source; await it before decoding what takes memory. */
  room(source: string): Promise<void> {
    return this.#inbox.whenBelow(source, this.#options.turnReadings)
  }

  /** What a source hands its batches to: resolves once the batch is durable; see `Emit`. */
  emitFor(source: string): Emit {
    return async (batch) => {
      if (batch.length === 0) return { accepted: 0, rejected: [] }
      return this.#inbox.add(source, batch, () => {
        this.#reacting ??= this.#react()
      })
    }
  }

  /** Adds to the open turn what no source sent, e.g. what monitors conclude when woken; resolves with its commit. */
  contribute(work: (turn: Turn) => void): Promise<void> {
    return this.#held ? this.#held.then(() => this.contribute(work)) : this.#contribute(work)
  }

  /**
   * Runs `work` between two turns: everything that was reacted to before is committed or given up, and nothing more is
   * reacted to until it has ended. Alarms wait for it: it must be short. `contribute` as above, for its own use.
   */
  alone<Result>(
    work: (contribute: (work: (turn: Turn) => void) => Promise<void>) => Promise<Result>,
  ): Promise<Result> {
    return this.#alone.run(async () => {
      let release = (): void => undefined
      this.#held = new Promise((resolve) => {
        release = resolve
      })
      try {
        this.#committer.start()
        await this.#committer.idle()
        return await work((contribution) => this.#contribute(contribution))
      } finally {
        this.#held = undefined
        release()
      }
    })
  }

  #contribute(work: (turn: Turn) => void): Promise<void> {
    const { open } = this.#committer
    work(open.turn)
    this.#sendAlerts()
    const done = new Promise<void>((resolve, reject) => open.done.push({ resolve, reject }))
    this.#committer.start()
    return done
  }

  /** Takes nothing more; resolves when all that was taken is settled and the states of all monitors are saved. */
  async stop(): Promise<void> {
    this.#inbox.stop()
    while (this.#reacting) await this.#reacting
    await this.#committer.stop()
  }

  async #react(): Promise<void> {
    // what arrives in this tick of the event loop joins the first turn
    await Promise.resolve()
    let slice = sliceRows
    let uncommitted = 0
    for (;;) {
      while (this.#held) await this.#held
      const delivery = this.#inbox.next()
      if (!delivery) break
      const rows = this.#reactTo(delivery, slice)
      slice -= rows
      uncommitted += rows
      if (uncommitted >= commitRows) {
        this.#committer.start()
        uncommitted = 0
      }
      if (slice > 0) continue
      await this.#parts.clock.yield()
      slice = sliceRows
    }
    this.#reacting = undefined
    this.#committer.start()
  }

  /** Steps 3 to 6 for up to `most` rows of a delivery; returns for how many. */
  #reactTo(delivery: Delivery, most: number): number {
    const { turnReadings } = this.#options
    if (this.#committer.open.size >= turnReadings) this.#committer.seal()
    const { open } = this.#committer
    const count = Math.min(most, turnReadings - open.size, delivery.batch.length - delivery.next)
    const context = this.#context()
    for (let index = delivery.next; index < delivery.next + count; index++) {
      try {
        this.#take(delivery, index, context, open.turn)
      } catch (error) {
        // a bug costs this one row and is reported; it must not stop the loop for all
        this.#parts.log.error('A row could not be processed.', { error: String(error) })
        const why = problem('internal', { reference: String(error) })
        this.#quarantine(delivery, index, why, context.now, open.turn)
      }
    }
    delivery.next += count
    open.size += count
    if (open.rows.at(-1)?.delivery !== delivery) open.batches++
    open.rows.push({ delivery, count })
    if (delivery.next === delivery.batch.length) this.#inbox.taken(delivery)
    this.#sendAlerts()
    return count
  }

  #take(delivery: Delivery, index: number, context: ParseContext, turn: Turn): void {
    const { windows, directory, reactor } = this.#parts
    const series = { count: reactor.seriesCount, limit: this.#options.series }
    const raw = delivery.batch[index]!
    const reading = admit(raw, context, windows, series, directory)
    if ('code' in reading) {
      this.#quarantine(delivery, index, reading, context.now, turn)
      return
    }
    directory.see(reading)
    reactor.react(reading, context.now, turn)
    if (!directory.hasMerges(reading.site)) return
    const sender = parseId(raw.device, idLimits.device) ?? reading.device
    turn.shadows.push(...directory.shadows(sender, reading))
  }

  #quarantine(delivery: Delivery, index: number, why: Problem, at: number, turn: Turn): void {
    const row = quarantined(delivery.batch[index]!, why, at)
    delivery.rejected.push({ index, problem: why })
    this.#parts.counters.countQuarantined(row.source, row.code)
    turn.quarantined.push(row)
  }

  #sendAlerts(): void {
    const alerts = this.#parts.reactor.takeAlerts()
    if (alerts.length > 0) this.#parts.onAlerts(alerts)
  }

  #context(): ParseContext {
    const now = this.#parts.clock.now()
    const { defaultSite, maxFutureMs } = this.#options
    const zoneOf = (site: string): string => this.#parts.directory.zoneOf(site)
    return { now, defaultSite, maxFutureMs, dayStart: dayStartsOf(zoneOf, now) }
  }
}
