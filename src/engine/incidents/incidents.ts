import { HomeostatError } from '../../core/errors.ts'
import type { Alert } from '../../core/event.ts'
import {
  endedAt,
  type Incident,
  type IncidentChange,
  isResolved,
  type MaintenanceWindow,
} from '../../core/incident.ts'
import { isSameTarget, type Target } from '../../core/target.ts'
import { dayMs } from '../../core/time.ts'
import { type Sleeper, WakeQueue } from '../wake-queue.ts'
import { dismiss, fits, groupId, incidentOf, join, knows, without } from './grouping.ts'
import type { IncidentOptions } from './options.ts'
import { dueAt, settle } from './settle.ts'

/** No domain raises an alert about what is older: an alert cannot come again after that. */
const alertAgeMsMax = dayMs

/** When an incident must be looked at next. */
interface Due extends Sleeper {
  readonly id: string
  wakeAt: number
}

interface Touched {
  readonly before: Incident | undefined
  readonly hasNewAlert: boolean
}

/**
 * Holds the incidents that have not ended, and for a day those that have, so that an alert that comes again finds its
 * own. Has no clock: `now` comes in, and `wakeAt` tells when `wake` is wanted.
 *
 * Changes are collected until `takeUnsaved` hands them to a transaction; one that fails gives them back.
 */
export class Incidents {
  readonly #options: IncidentOptions
  readonly #rememberedMs: number
  readonly #held = new Map<string, Incident>()
  /** Ids by group, in the order in which they were opened. */
  readonly #groups = new Map<string, string[]>()
  readonly #windows = new Map<string, MaintenanceWindow>()
  readonly #due = new Map<string, Due>()
  readonly #queue = new WakeQueue<Due>()
  readonly #unsaved = new Map<string, Incident>()
  /** Beginnings and ends of windows up to here have been applied. */
  #windowsTo = Number.NEGATIVE_INFINITY
  #nextWindowMove = Number.POSITIVE_INFINITY

  constructor(options: IncidentOptions) {
    this.#options = options
    this.#rememberedMs = Math.max(alertAgeMsMax, options.resolveAfterMs + options.coolDownMs)
  }

  /** How long ended incidents are held, ms: `restore` wants those that ended since. */
  get rememberedMs(): number {
    return this.#rememberedMs
  }

  /** UTC ms at which `wake` may have something to do; Infinity while nothing waits. */
  get wakeAt(): number {
    return Math.min(this.#queue.nextAt, this.#nextWindowMove)
  }

  /** Takes up where the last process stopped. Call once, before anything else; `wakeAt` is then in the past. */
  restore(incidents: readonly Incident[], windows: readonly MaintenanceWindow[]): void {
    for (const window of windows) this.#windows.set(window.id, window)
    if (windows.length > 0) this.#nextWindowMove = Number.NEGATIVE_INFINITY
    for (const incident of incidents.toSorted((a, b) => a.since - b.since)) {
      this.#hold(incident)
      // windows may have begun, ended or gone meanwhile
      if (!isResolved(incident)) this.#setDue(incident.id, 0)
    }
  }

  /** Takes alerts as they are raised and closed; the same alert may come any number of times. */
  take(alerts: readonly Alert[], now: number): IncidentChange[] {
    const changes = this.wake(now)
    const touched = new Map<string, Touched>()
    for (const alert of alerts) {
      const { id, wasKnown } = this.#join(alert, touched)
      const known = touched.get(id)
      if (known && !wasKnown && alert.until === undefined) touched.set(id, { ...known, hasNewAlert: true })
    }
    for (const [id, { before, hasNewAlert }] of touched) {
      this.#settle(before, this.#held.get(id)!, now, changes, hasNewAlert)
    }
    return changes
  }

  /** Applies what time alone changes: incidents resolve and escalate, snoozes end, maintenance windows begin and end. */
  wake(now: number): IncidentChange[] {
    const changes: IncidentChange[] = []
    this.#moveWindows(now, changes)
    for (let due = this.#queue.pop(now); due; due = this.#queue.pop(now)) {
      const incident = this.#held.get(due.id)
      if (incident && isResolved(incident)) this.#forget(incident)
      else if (incident) this.#settle(incident, incident, now, changes)
    }
    return changes
  }

  get(id: string): Incident | undefined {
    return this.#held.get(id)
  }

  /** In no order. */
  unresolved(): Incident[] {
    return [...this.#held.values()].filter((incident) => !isResolved(incident))
  }

  /** Those that have not ended, in no order. */
  windows(): MaintenanceWindow[] {
    return [...this.#windows.values()]
  }

  /** Stops reminders. Throws `not_found` and, where it is resolved, `not_acceptable_state`. */
  acknowledge(id: string, by: string, now: number): IncidentChange[] {
    return this.#act(id, now, (incident) => ({
      ...without(incident, 'snoozed'),
      acknowledged: incident.acknowledged ?? { by, at: now },
    }))
  }

  /** Silences it until then, or until its level rises. Throws as `acknowledge` does. */
  snooze(id: string, until: number, by: string, now: number): IncidentChange[] {
    return this.#act(id, now, (incident) => ({ ...incident, snoozed: { by, at: now, until } }))
  }

  /** Resolves it though its condition may hold: only a new alert opens it again. Throws as `acknowledge` does. */
  resolve(id: string, by: string, now: number): IncidentChange[] {
    return this.#act(id, now, (incident) => ({ ...dismiss(incident, now), resolvedAt: now, resolvedBy: by }))
  }

  /** Throws `not_acceptable_state` where there are too many windows already. */
  addWindow(window: MaintenanceWindow, now: number): IncidentChange[] {
    const { windowsMax } = this.#options
    if (this.#windows.size >= windowsMax) {
      const detail = `There are ${windowsMax} maintenance windows already; remove one, or raise incidents.windowsMax`
      throw new HomeostatError('not_acceptable_state', { detail })
    }
    this.#windows.set(window.id, window)
    return this.#applyWindows(window.site, now)
  }

  removeWindow(id: string, now: number): IncidentChange[] {
    const window = this.#windows.get(id)
    if (!window) return []
    this.#windows.delete(id)
    return this.#applyWindows(window.site, now)
  }

  /** Forgets what is held of these targets. */
  removeTargets(targets: readonly Target[]): void {
    const isGone = ({ target }: Incident): boolean => targets.some((gone) => isSameTarget(gone, target))
    for (const incident of [...this.#held.values()].filter(isGone)) this.#forget(incident)
    for (const { id } of [...this.#unsaved.values()].filter(isGone)) this.#unsaved.delete(id)
  }

  removeSite(site: string): void {
    for (const incident of [...this.#held.values()]) if (incident.target.site === site) this.#forget(incident)
    for (const { id, target } of [...this.#unsaved.values()])
      if (target.site === site) this.#unsaved.delete(id)
    for (const { id, site: own } of [...this.#windows.values()]) if (own === site) this.#windows.delete(id)
  }

  /** What has changed since the last call, each once. For the transaction that records the alerts of the same turn. */
  takeUnsaved(): Incident[] {
    const incidents = [...this.#unsaved.values()]
    this.#unsaved.clear()
    return incidents
  }

  /** Puts back what could not be saved. */
  returnUnsaved(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      if (!this.#unsaved.has(incident.id)) this.#unsaved.set(incident.id, incident)
    }
  }

  #join(alert: Alert, touched: Map<string, Touched>): { readonly id: string; readonly wasKnown: boolean } {
    const group = (this.#groups.get(groupId(alert)) ?? []).map((id) => this.#held.get(id)!)
    const own = group.find((incident) => knows(incident, alert))
    const before = own ?? group.findLast((incident) => fits(incident, alert, this.#options))
    const incident = before ?? incidentOf(alert)
    const joined = join(incident, alert, this.#options)
    if (joined !== before) {
      if (!touched.has(incident.id)) touched.set(incident.id, { before, hasNewAlert: false })
      this.#hold(joined)
    }
    return { id: incident.id, wasKnown: own !== undefined }
  }

  #act(id: string, now: number, change: (incident: Incident) => Incident): IncidentChange[] {
    const changes = this.wake(now)
    const incident = this.#held.get(id)
    if (!incident) throw new HomeostatError('not_found', { what: `incident "${id}"` })
    if (isResolved(incident)) {
      throw new HomeostatError('not_acceptable_state', { detail: `The incident "${id}" is resolved already` })
    }
    this.#settle(incident, change(incident), now, changes)
    return changes
  }

  #settle(
    before: Incident | undefined,
    incident: Incident,
    now: number,
    changes: IncidentChange[],
    hasNewAlert = false,
  ): void {
    const circumstances = { now, isCovered: this.#isCovered(incident.target, now), hasNewAlert }
    const change = settle(before, incident, circumstances, this.#options)
    if (change) {
      changes.push(change)
      this.#unsaved.set(incident.id, change.incident)
    }
    this.#hold(change?.incident ?? incident)
  }

  #hold(incident: Incident): void {
    if (!this.#held.has(incident.id)) {
      const group = groupId(incident)
      this.#groups.set(group, [...(this.#groups.get(group) ?? []), incident.id])
    }
    this.#held.set(incident.id, incident)
    // one that somebody resolved is held until its alerts are closed, too: they must not open another
    const ended = endedAt(incident)
    const forgetAt = ended === undefined ? undefined : ended + this.#rememberedMs
    this.#setDue(incident.id, forgetAt ?? dueAt(incident, this.#options))
  }

  #setDue(id: string, wakeAt: number): void {
    const due = this.#due.get(id) ?? { id, wakeAt }
    due.wakeAt = wakeAt
    this.#due.set(id, due)
    this.#queue.update(due)
  }

  #forget(incident: Incident): void {
    this.#held.delete(incident.id)
    const due = this.#due.get(incident.id)
    if (due) this.#queue.delete(due)
    this.#due.delete(incident.id)
    const group = groupId(incident)
    const rest = (this.#groups.get(group) ?? []).filter((id) => id !== incident.id)
    if (rest.length > 0) this.#groups.set(group, rest)
    else this.#groups.delete(group)
  }

  #isCovered({ site, domain, subject }: Target, now: number): boolean {
    for (const window of this.#windows.values()) {
      const isOfTarget =
        window.site === site &&
        (window.domain === undefined || window.domain === domain) &&
        (window.subject === undefined || window.subject === subject)
      if (isOfTarget && window.from <= now && now < window.to) return true
    }
    return false
  }

  #applyWindows(site: string, now: number): IncidentChange[] {
    const changes = this.wake(now)
    this.#settleSites(new Set([site]), now, changes)
    this.#planWindows(now)
    return changes
  }

  #moveWindows(now: number, changes: IncidentChange[]): void {
    if (now < this.#nextWindowMove) return
    const sites = new Set<string>()
    for (const { id, site, from, to } of [...this.#windows.values()]) {
      if ((from > this.#windowsTo && from <= now) || to <= now) sites.add(site)
      if (to <= now) this.#windows.delete(id)
    }
    this.#settleSites(sites, now, changes)
    this.#planWindows(now)
  }

  #planWindows(now: number): void {
    this.#windowsTo = now
    this.#nextWindowMove = Number.POSITIVE_INFINITY
    for (const { from, to } of this.#windows.values()) {
      this.#nextWindowMove = Math.min(this.#nextWindowMove, from > now ? from : to)
    }
  }

  #settleSites(sites: ReadonlySet<string>, now: number, changes: IncidentChange[]): void {
    if (sites.size === 0) return
    for (const incident of this.unresolved()) {
      if (sites.has(incident.target.site)) this.#settle(incident, incident, now, changes)
    }
  }
}
