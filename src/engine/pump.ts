import { dayStart } from '../core/calendar.ts'
import { HomeostatError, type Problem, problem } from '../core/errors.ts'
import type { Alert, Prediction, Quarantined, SeriesKey } from '../core/event.ts'
import type { Clock, Ledger, Log, ReadingStore, Receipt, WindowStore } from '../core/ports.ts'
import type { ParseContext, RawReading, Reading } from '../core/reading.ts'
import { admit, isHistory } from './admit.ts'
import type { Counters } from './counters.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'
import type { Predictor } from './predictor.ts'
import { quarantined } from './quarantine.ts'
import type { Rules } from './rules.ts'

export interface PumpParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly windows: WindowStore
  readonly directory: Directory
  readonly predictor: Predictor
  readonly rules: Rules
  readonly feed: Pick<Feed, 'publish'>
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** History of a series came in later than what follows it. */
  readonly onLate: (series: SeriesKey) => void
}

export interface PumpOptions {
  /** Site of a reading that names none. */
  readonly defaultSite: string
  /** Readings that may wait; a further batch waits outside. */
  readonly inboxReadings: number
  readonly turnReadings: number
  readonly series: number
  readonly maxFutureMs: number
}

/** A batch on its way: `next` is the first row that no turn has taken yet, `open` the rows without a commit. */
interface Delivery {
  readonly batch: readonly RawReading[]
  readonly rejected: { index: number; problem: Problem }[]
  next: number
  open: number
  failed: boolean
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/** What one turn has gathered. */
interface Turn {
  readonly readings: Reading[]
  readonly quarantined: Quarantined[]
  readonly predictions: Prediction[]
  readonly alerts: Alert[]
  readonly rows: { readonly delivery: Delivery; readonly count: number }[]
}

/**
 * The only loop. One turn = one commit: parse, window, predict, rules, store, answer, feed.
 * A batch is answered when its last row is on disk.
 */
export class Pump {
  readonly #parts: PumpParts
  readonly #options: PumpOptions
  #inbox: Delivery[] = []
  #waiting = 0
  readonly #outside: (() => void)[] = []
  #running: Promise<void> | undefined
  #stopping = false

  constructor(parts: PumpParts, options: PumpOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Readings in the inbox. */
  get waiting(): number {
    return this.#waiting
  }

  /** True where a new batch would have to wait outside. */
  get full(): boolean {
    return this.#waiting >= this.#options.inboxReadings
  }

  /** Resolves when a turn has room for more rows. Who can wait before he unpacks what he holds, waits here. */
  async room(): Promise<void> {
    while (this.#waiting >= this.#options.turnReadings && !this.#stopping) {
      await new Promise<void>((resolve) => this.#outside.push(resolve))
    }
  }

  /** Resolves once the batch is durable; see `Emit`. */
  readonly emit = async (batch: readonly RawReading[]): Promise<Receipt> => {
    while (this.full && !this.#stopping) await new Promise<void>((resolve) => this.#outside.push(resolve))
    if (this.#stopping) throw new HomeostatError('stopping')
    if (batch.length === 0) return { accepted: 0, rejected: [] }
    const receipt = new Promise<Receipt>((resolve, reject) => {
      this.#inbox.push({ batch, rejected: [], next: 0, open: batch.length, failed: false, resolve, reject })
    })
    this.#waiting += batch.length
    this.#running ??= this.#run()
    return receipt
  }

  /** Takes nothing more, and resolves when all that was taken is settled. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#letIn()
    await this.#running
  }

  async #run(): Promise<void> {
    // let what arrives in this tick of the event loop join the first turn
    await Promise.resolve()
    while (this.#inbox.length > 0) await this.#turn()
    this.#running = undefined
  }

  async #turn(): Promise<void> {
    const turn = this.#take()
    const started = this.#parts.clock.monotonic()
    try {
      await this.#commit(turn)
    } catch (error) {
      this.#parts.counters.commitsFailed++
      this.#parts.log.error('A commit failed; nothing of it was acknowledged.', { error: String(error) })
      const failure = new HomeostatError('store_failed', { detail: String(error) }, error)
      for (const { delivery } of turn.rows) this.#fail(delivery, failure)
      return
    }
    this.#parts.counters.countCommit(turn, this.#parts.clock.monotonic() - started)
    for (const { delivery, count } of turn.rows) settle(delivery, count)
    if (turn.readings.length > 0) this.#parts.feed.publish({ kind: 'readings', readings: turn.readings })
    if (turn.predictions.length > 0) {
      this.#parts.feed.publish({ kind: 'predictions', predictions: turn.predictions })
    }
  }

  /** Steps 2 to 6: up to `turnReadings` rows leave the inbox and become readings, predictions, alerts. */
  #take(): Turn {
    const turn: Turn = { readings: [], quarantined: [], predictions: [], alerts: [], rows: [] }
    const context = this.#context()
    let [room, finished] = [this.#options.turnReadings, 0]
    for (const delivery of this.#inbox) {
      if (room === 0) break
      const count = Math.min(room, delivery.batch.length - delivery.next)
      for (let index = delivery.next; index < delivery.next + count; index++) {
        try {
          this.#step(delivery, index, context, turn)
        } catch (error) {
          // a bug costs this one row, and says so; it must not stop the loop for all
          this.#parts.log.error('A row could not be processed.', { error: String(error) })
          const why = problem('internal', { reference: String(error) })
          this.#quarantine(delivery, index, why, context.now, turn)
        }
      }
      delivery.next += count
      room -= count
      if (count > 0) turn.rows.push({ delivery, count })
      if (delivery.next === delivery.batch.length) finished++
    }
    this.#inbox = finished === this.#inbox.length ? [] : this.#inbox.slice(finished)
    this.#waiting -= this.#options.turnReadings - room
    this.#letIn()
    if (turn.alerts.length > 0) this.#parts.feed.publish({ kind: 'alerts', alerts: turn.alerts })
    return turn
  }

  #step(delivery: Delivery, index: number, context: ParseContext, turn: Turn): void {
    const { windows, directory, predictor, rules } = this.#parts
    const raw = delivery.batch[index]!
    const reading = admit(raw, context, windows, this.#options.series)
    if ('code' in reading) {
      this.#quarantine(delivery, index, reading, context.now, turn)
      return
    }
    if (!windows.push(reading) && isHistory(reading, windows)) this.#parts.onLate(reading)
    directory.see(reading)
    predictor.observe(reading, context.now, turn.predictions)
    if (rules.watches(reading.metric)) {
      for (const alert of rules.check(reading, windows.newestAt(reading))) turn.alerts.push(alert)
    }
    turn.readings.push(reading)
  }

  #quarantine(delivery: Delivery, index: number, why: Problem, at: number, turn: Turn): void {
    const row = quarantined(delivery.batch[index]!, why, at)
    delivery.rejected.push({ index, problem: why })
    this.#parts.counters.countQuarantined(row.source, row.code)
    turn.quarantined.push(row)
  }

  /** Step 7. What is new in the ledger goes first: a reading on disk then always has its site and device. */
  async #commit(turn: Turn): Promise<void> {
    const { readings, ledger, directory } = this.#parts
    const news = directory.takeNews()
    try {
      if (news) {
        if (news.sites.length > 0) await ledger.putSites(news.sites)
        await ledger.putDevices(news.devices)
      }
      if (turn.readings.length > 0) await readings.append(turn.readings)
    } catch (error) {
      if (news) directory.returnNews(news)
      throw error
    }
    if (turn.quarantined.length > 0) await ledger.putQuarantined(turn.quarantined)
    if (turn.predictions.length > 0) await ledger.putPredictions(turn.predictions)
    if (turn.alerts.length > 0) await ledger.putAlerts(turn.alerts)
  }

  #context(): ParseContext {
    const now = this.#parts.clock.now()
    const { defaultSite, maxFutureMs } = this.#options
    return {
      now,
      defaultSite,
      maxFutureMs,
      dayStart: dayStart(this.#parts.directory.zoneOf(defaultSite), now),
    }
  }

  #fail(delivery: Delivery, error: HomeostatError): void {
    if (!delivery.failed) delivery.reject(error)
    delivery.failed = true
    // rows that no turn has taken yet are not needed any more: the sender keeps the batch
    const left = delivery.batch.length - delivery.next
    if (left > 0) {
      this.#inbox = this.#inbox.filter((other) => other !== delivery)
      this.#waiting -= left
      this.#letIn()
    }
  }

  #letIn(): void {
    if (this.full && !this.#stopping) return
    for (const enter of this.#outside.splice(0)) enter()
  }
}

function settle(delivery: Delivery, count: number): void {
  delivery.open -= count
  if (delivery.open > 0 || delivery.failed) return
  delivery.resolve({
    accepted: delivery.batch.length - delivery.rejected.length,
    rejected: delivery.rejected,
  })
}
