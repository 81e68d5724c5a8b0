import { HomeostatError } from '../core/errors.ts'
import type { Alert, Command } from '../core/event.ts'
import type { TurnEntry } from '../core/journal.ts'
import type { Clock, Log } from '../core/ports.ts'
import { targetId } from '../core/target.ts'
import { minuteMs } from '../core/time.ts'
import { createTurn, hasFacts, type Turn } from '../core/turn.ts'
import type { Counters } from './counters.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'
import type { Delivery, Inbox } from './inbox.ts'
import type { Incidents } from './incidents/incidents.ts'
import type { Projector } from './projector.ts'
import type { Reactor } from './reactor.ts'

export interface CommitterParts {
  readonly projector: Pick<Projector, 'commit'>
  readonly directory: Directory
  readonly reactor: Reactor
  /** Their changes go with the alerts of the same turn. */
  readonly incidents: Pick<Incidents, 'takeUnsaved' | 'returnUnsaved'>
  readonly inbox: Inbox
  readonly feed: Feed
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Commands leave through it once they are committed. */
  readonly onCommands: (commands: readonly Command[]) => void
  /** A turn is committed. */
  readonly onCommitted: (turn: Turn) => void
}

/** A turn with the rows that it answers and the work that waits for its commit. */
interface OpenTurn {
  readonly turn: Turn
  readonly rows: { readonly delivery: Delivery; readonly count: number }[]
  readonly done: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[]
  size: number
  /** Batches that it has rows of. */
  batches: number
}

const createOpenTurn = (): OpenTurn => ({ turn: createTurn(), rows: [], done: [], size: 0, batches: 0 })

/**
 * A sync costs the processor as much as some ten readings. Where batches come in while others wait for theirs, a turn begins
 * no sooner than so long after the one before, ms, unless it has enough of them. A sender that waits for each answer has no
 * company, and never waits.
 */
const lingerMs = 3
const batchesEnough = 16
/** So long after the last company a turn is committed at once again, ms. */
const companyMs = 50

/** Pauses before a failed commit is tried again. */
const retryMs = [50, 250]
/** While commits keep failing, that is told so often. */
const tellEveryMs = minuteMs
/** Alerts that wait to be recorded, the newest. A hub that cannot write for days must not grow with them. */
const owedMax = 10_000

/** The second loop of the pump: commits turns in their order and answers those that wait for them. */
export class Committer {
  readonly #parts: CommitterParts
  #open = createOpenTurn()
  readonly #sealed: OpenTurn[] = []
  /** Alerts of turns that were lost: people were told, so they belong into the ledger. */
  #owed: Alert[] = []
  /** Commits that failed since the last one that did not. */
  #failed = 0
  #toldMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  /** When the last commit began, and until when company is expected, monotonic ms. */
  #begunMs = Number.NEGATIVE_INFINITY
  #companyUntilMs = Number.NEGATIVE_INFINITY
  #linger: AbortController | undefined

  constructor(parts: CommitterParts) {
    this.#parts = parts
  }

  /** The turn that takes what is reacted to now. */
  get open(): OpenTurn {
    return this.#open
  }

  /** The open turn takes nothing more. */
  seal(): void {
    this.#sealed.push(this.#open)
    this.#open = createOpenTurn()
  }

  /** Commits what there is, unless it is at it already. */
  start(): void {
    if (this.#open.batches >= batchesEnough) this.#linger?.abort()
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits for its commit. */
  async idle(): Promise<void> {
    this.#linger?.abort()
    while (this.#running) await this.#running
  }

  /** Resolves when everything is settled and the states of all monitors are saved. */
  async stop(): Promise<void> {
    while (this.#running) await this.#running
    const answer = await this.#commit(createOpenTurn(), true)
    answer()
  }

  async #run(): Promise<void> {
    // lets what is reacted to in this tick of the event loop join
    await Promise.resolve()
    let answer = (): void => undefined
    for (;;) {
      const pauseMs = this.#pauseMs()
      if (pauseMs > 0) {
        answer()
        answer = () => undefined
        this.#linger = new AbortController()
        await this.#parts.clock.sleep(pauseMs, this.#linger.signal)
      }
      const open = this.#next()
      const committed = open && this.#commit(open, false)
      // while the next turn is on its way to the disk
      answer()
      if (!open || !committed) break
      answer = await committed
      if (open.batches > 0 && this.#open.batches > 0)
        this.#companyUntilMs = this.#parts.clock.monotonic() + companyMs
    }
    this.#running = undefined
  }

  /** How long the open turn waits for company. */
  #pauseMs(): number {
    if (this.#sealed.length > 0 || this.#open.batches >= batchesEnough) return 0
    const nowMs = this.#parts.clock.monotonic()
    return nowMs < this.#companyUntilMs ? this.#begunMs + lingerMs - nowMs : 0
  }

  #next(): OpenTurn | undefined {
    const sealed = this.#sealed.shift()
    if (sealed) return sealed
    if (this.#open.size === 0 && this.#open.done.length === 0) return undefined
    const open = this.#open
    this.#open = createOpenTurn()
    return open
  }

  /**
   * Step 7. A failed commit is tried again as a whole; in the end its senders are told. Gives what is left to do once it
   * is durable: step 8.
   */
  async #commit({ turn, rows, done }: OpenTurn, isLast: boolean): Promise<() => void> {
    const { directory, reactor, incidents: desk, inbox, counters, clock, log } = this.#parts
    const { quarantined, predictions, commands } = turn
    const readings = turn.shadows.length > 0 ? [...turn.readings, ...turn.shadows] : turn.readings
    const { sites, devices } = directory.takeNews() ?? { sites: [], devices: [] }
    const states = reactor.takeStates(isLast)
    const dirty = reactor.takeDirty()
    const alerts = [...this.#owed, ...turn.alerts]
    const incidents = desk.takeUnsaved()
    this.#owed = []
    const startedMs = clock.monotonic()
    this.#begunMs = startedMs
    try {
      const facts = { sites, devices, quarantined, predictions, alerts, incidents, states, dirty }
      await this.#store({ kind: 'turn', readings, facts, commands })
    } catch (error) {
      counters.commitsFailed++
      this.#tell(error)
      directory.returnNews({ sites, devices })
      reactor.returnStates(states, dirty)
      desk.returnUnsaved(incidents)
      reactor.markLost(turn)
      this.#owed = newestOf(alerts)
      const failure =
        error instanceof HomeostatError
          ? error
          : new HomeostatError('store_failed', { detail: String(error) }, error)
      for (const { delivery, count } of rows) inbox.fail(delivery, count, failure)
      for (const { reject } of done) reject(failure)
      return () => undefined
    }
    if (this.#failed > 0) log.info('Commits succeed again.', { failed: this.#failed })
    this.#failed = 0
    counters.countCommit(turn, clock.monotonic() - startedMs)
    return () => {
      for (const { delivery, count } of rows) inbox.settle(delivery, count)
      for (const { resolve } of done) resolve()
      this.#publish(turn)
    }
  }

  async #store(entry: TurnEntry): Promise<void> {
    const { projector, clock, counters, log } = this.#parts
    const { readings, facts, commands } = entry
    if (readings.length === 0 && commands.length === 0 && !hasFacts(facts)) return
    for (let attempt = 0; ; attempt++) {
      try {
        await projector.commit(entry)
        return
      } catch (error) {
        const pauseMs = retryMs[attempt]
        if (pauseMs === undefined) throw error
        counters.commitRetries++
        if (this.#failed === 0) log.warn('A commit failed and is tried again.', { error: String(error) })
        await clock.sleep(pauseMs)
      }
    }
  }

  /** The first failure, and then one a minute: a full disk fails every commit. */
  #tell(error: unknown): void {
    const { clock, log } = this.#parts
    const now = clock.monotonic()
    this.#failed++
    if (this.#failed > 1 && now - this.#toldMs < tellEveryMs) return
    this.#toldMs = now
    log.error('A commit failed; nothing of it was acknowledged.', {
      error: String(error),
      failed: this.#failed,
    })
  }

  #publish(turn: Turn): void {
    const { feed, onCommitted, onCommands } = this.#parts
    const { readings, predictions, commands } = turn
    if (readings.length > 0) feed.publish({ kind: 'readings', readings })
    if (predictions.length > 0) feed.publish({ kind: 'predictions', predictions })
    onCommitted(turn)
    if (commands.length > 0) onCommands(commands)
  }
}

/** Of each alert its last state; beyond the limit the oldest go. */
function newestOf(alerts: readonly Alert[]): Alert[] {
  const states = new Map<string, Alert>()
  for (const alert of alerts) {
    states.set(JSON.stringify([alert.rule, targetId(alert.target), alert.since]), alert)
  }
  return [...states.values()].slice(-owedMax)
}
