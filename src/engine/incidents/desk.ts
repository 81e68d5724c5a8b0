import { HomeostatError } from '../../core/errors.ts'
import type { Alert } from '../../core/event.ts'
import type { Incident, IncidentChange, MaintenanceWindow } from '../../core/incident.ts'
import type { IncidentFilter, IncidentLedger } from '../../core/incident-ledger.ts'
import type { Clock, Log } from '../../core/ports.ts'
import { isSameTarget, type Target } from '../../core/target.ts'
import { hourMs, secondMs } from '../../core/time.ts'
import type { Feed } from '../feed.ts'
import { Incidents } from './incidents.ts'
import type { IncidentOptions } from './options.ts'

export interface DeskParts {
  readonly ledger: IncidentLedger
  readonly feed: Feed
  readonly clock: Clock
  readonly log: Log
}

/** A sleep ends at least so often, in case the wall clock was set. */
const sleepMsMax = hourMs
/** Pause before what could not be saved is tried again. */
const retryMs = 5 * secondMs

/**
 * Incidents in a running hub: they wake up by the clock, people act on them, changes go to the live feed and to the
 * ledger. Alerts come from the pump: `take` right after they were published, then `takeUnsaved` for the transaction of
 * the same turn.
 */
export class IncidentDesk {
  readonly #parts: DeskParts
  readonly #incidents: Incidents
  readonly #stop = new AbortController()
  #sleep: { readonly until: number; readonly controller: AbortController } | undefined
  #done: Promise<void> | undefined
  #isOwed = false

  constructor(parts: DeskParts, options: IncidentOptions) {
    this.#parts = parts
    this.#incidents = new Incidents(options)
  }

  /** Takes up where the last process stopped. `openAlerts` are those of the ledger: each gets its incident. */
  async open(openAlerts: readonly Alert[]): Promise<void> {
    const { ledger, clock } = this.#parts
    const recent = await ledger.recent(clock.now() - this.#incidents.rememberedMs)
    this.#incidents.restore(recent, await ledger.windows())
    this.take(openAlerts)
    await this.save()
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#sleep?.controller.abort()
    await this.#done
    await this.save()
  }

  /** Groups alerts and publishes what people must know. Synchronous, so that nobody waits for a disk. */
  take(alerts: readonly Alert[]): void {
    this.#publish(this.#incidents.take(alerts, this.#parts.clock.now()))
  }

  /** Changed incidents for the transaction that records their alerts; see `IncidentLedger.put`. */
  takeUnsaved(): Incident[] {
    return this.#incidents.takeUnsaved()
  }

  /** Puts back what that transaction could not record. */
  returnUnsaved(incidents: readonly Incident[]): void {
    this.#incidents.returnUnsaved(incidents)
  }

  /** Writes what no transaction has taken. False where that failed: it is logged once, and tried again. */
  async save(): Promise<boolean> {
    const unsaved = this.#incidents.takeUnsaved()
    const wasOwed = this.#isOwed
    this.#isOwed = false
    if (unsaved.length === 0) return true
    try {
      await this.#parts.ledger.put(unsaved)
      return true
    } catch (error) {
      this.#incidents.returnUnsaved(unsaved)
      this.#isOwed = true
      this.#sleep?.controller.abort()
      if (!wasOwed)
        this.#parts.log.error('Incidents could not be saved; it is tried again.', { error: String(error) })
      return false
    }
  }

  /** As they are now, in no order. */
  unresolved(): Incident[] {
    return this.#incidents.unresolved()
  }

  /** As the ledger has them; see `IncidentLedger.list`. */
  list(filter: IncidentFilter, limit: number): Promise<Incident[]> {
    return this.#parts.ledger.list(filter, limit)
  }

  async get(id: string): Promise<Incident | undefined> {
    return this.#incidents.get(id) ?? (await this.#parts.ledger.get(id))
  }

  /** Throws `not_found`, `not_acceptable_state` where it is resolved, and `change_not_stored`. */
  acknowledge(id: string, by: string): Promise<Incident> {
    return this.#act(id, (now) => this.#incidents.acknowledge(id, by, now))
  }

  /** Silent until then. Throws as `acknowledge` does. */
  snooze(id: string, until: number, by: string): Promise<Incident> {
    return this.#act(id, (now) => this.#incidents.snooze(id, until, by, now))
  }

  /** Resolved until a new alert comes. Throws as `acknowledge` does. */
  resolve(id: string, by: string): Promise<Incident> {
    return this.#act(id, (now) => this.#incidents.resolve(id, by, now))
  }

  /** With those that have ended and are still kept, by their beginning. */
  windows(sites?: readonly string[]): Promise<MaintenanceWindow[]> {
    return this.#parts.ledger.windows(sites)
  }

  /** Throws `not_acceptable_state` where there are too many. */
  async addWindow(window: MaintenanceWindow): Promise<void> {
    const { ledger, clock } = this.#parts
    const changes = this.#incidents.addWindow(window, clock.now())
    try {
      await ledger.putWindow(window)
    } catch (error) {
      this.#publish([...changes, ...this.#incidents.removeWindow(window.id, clock.now())])
      if (error instanceof HomeostatError) throw error
      throw new HomeostatError('change_not_stored', { detail: String(error) }, error)
    }
    this.#publish(changes)
    await this.save()
  }

  async removeWindow(id: string): Promise<void> {
    await this.#parts.ledger.removeWindow(id)
    this.#publish(this.#incidents.removeWindow(id, this.#parts.clock.now()))
    await this.save()
  }

  /** Resolves what is open of targets that people remove. */
  async resolveTargets(targets: readonly Target[], by: string): Promise<void> {
    const now = this.#parts.clock.now()
    for (const { id, target } of this.#incidents.unresolved())
      if (targets.some((gone) => isSameTarget(gone, target)))
        this.#publish(this.#incidents.resolve(id, by, now))
    await this.save()
  }

  removeTargets(targets: readonly Target[]): void {
    this.#incidents.removeTargets(targets)
  }

  removeSite(site: string): void {
    this.#incidents.removeSite(site)
  }

  async #act(id: string, change: (now: number) => IncidentChange[]): Promise<Incident> {
    const { clock } = this.#parts
    // one that was resolved long ago is in the ledger only
    const incident = await this.get(id)
    if (!incident) throw new HomeostatError('not_found', { what: `incident "${id}"` })
    if (!this.#incidents.get(id)) {
      throw new HomeostatError('not_acceptable_state', { detail: `The incident "${id}" is resolved already` })
    }
    this.#publish(change(clock.now()))
    if (!(await this.save()))
      throw new HomeostatError('change_not_stored', { detail: 'the disk refused it; the hub keeps trying' })
    return this.#incidents.get(id) ?? incident
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    while (!this.#stop.signal.aborted) {
      const now = clock.now()
      const longest = this.#isOwed ? retryMs : sleepMsMax
      const until = Math.min(Math.max(now, this.#incidents.wakeAt), now + longest)
      const controller = new AbortController()
      this.#sleep = { until, controller }
      await clock.sleep(until - now, controller.signal)
      if (this.#stop.signal.aborted) return
      const changes = this.#incidents.wake(clock.now())
      this.#publish(changes)
      if (changes.length > 0 || this.#isOwed) await this.save()
    }
  }

  #publish(changes: readonly IncidentChange[]): void {
    if (changes.length > 0) this.#parts.feed.publish({ kind: 'incidents', changes })
    if (this.#sleep && this.#incidents.wakeAt < this.#sleep.until) this.#sleep.controller.abort()
  }
}
