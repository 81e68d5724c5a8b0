import type { Alert, Command, Device, PointPrediction, Quarantined, Site } from './event.ts'
import type { Incident } from './incident.ts'
import type { Reading } from './reading.ts'
import { type Target, TargetMap } from './target.ts'

/** Half-open span of time, [from, to), UTC ms. */
export interface TimeSpan {
  readonly from: number
  readonly to: number
}

/** Where a monitor was when it was saved. */
export interface MonitorState {
  readonly target: Target
  /** UTC ms of the save. */
  readonly at: number
  /** JSON, so that it cannot change until it is written; undefined erases what was saved. */
  readonly state: string | undefined
}

/** Spans of a target whose derived series must be derived again; none: all of them are up to date. */
export interface DirtySpans {
  readonly target: Target
  readonly spans: readonly TimeSpan[]
}

/** Everything of one turn that belongs into the ledger; the readings go to the store of readings. */
export interface LedgerTurn {
  readonly sites: readonly Site[]
  readonly devices: readonly Device[]
  readonly quarantined: readonly Quarantined[]
  readonly predictions: readonly PointPrediction[]
  readonly alerts: readonly Alert[]
  /** Those that the alerts have changed. */
  readonly incidents: readonly Incident[]
  readonly states: readonly MonitorState[]
  readonly dirty: readonly DirtySpans[]
}

/** Nothing to record. */
export const emptyFacts: LedgerTurn = {
  sites: [],
  devices: [],
  quarantined: [],
  predictions: [],
  alerts: [],
  incidents: [],
  states: [],
  dirty: [],
}

export const hasFacts = (facts: LedgerTurn): boolean =>
  Object.values(facts).some((list: readonly unknown[]) => list.length > 0)

/** The facts of several turns in their order, as those of one: the last state and the last spans of a target count. */
export function mergeFacts(turns: readonly LedgerTurn[]): LedgerTurn {
  const only = turns.length === 1 ? turns[0] : undefined
  if (only) return only
  const states = new TargetMap<MonitorState>()
  const dirty = new TargetMap<DirtySpans>()
  for (const turn of turns) {
    for (const state of turn.states) states.set(state.target, state)
    for (const spans of turn.dirty) dirty.set(spans.target, spans)
  }
  return {
    sites: turns.flatMap((turn) => turn.sites),
    devices: turns.flatMap((turn) => turn.devices),
    quarantined: turns.flatMap((turn) => turn.quarantined),
    predictions: turns.flatMap((turn) => turn.predictions),
    alerts: turns.flatMap((turn) => turn.alerts),
    incidents: turns.flatMap((turn) => turn.incidents),
    states: [...states.values()],
    dirty: [...dirty.values()],
  }
}

/** What a turn gathers before its commit. */
export interface Turn {
  /** Measured and derived. */
  readonly readings: Reading[]
  /** The same readings for what a merge hides, so that it can be undone: they are stored, and nothing else. */
  readonly shadows: Reading[]
  readonly quarantined: Quarantined[]
  readonly predictions: PointPrediction[]
  readonly alerts: Alert[]
  /** Sent once the turn is committed. */
  readonly commands: Command[]
}

export const createTurn = (): Turn => ({
  readings: [],
  shadows: [],
  quarantined: [],
  predictions: [],
  alerts: [],
  commands: [],
})

/** Adds everything of one turn to another, of any size: a spread into `push` has a limit. */
export function mergeTurn(into: Turn, from: Turn): void {
  const { readings, shadows, quarantined, predictions, alerts, commands } = from
  append(into.readings, readings)
  append(into.shadows, shadows)
  append(into.quarantined, quarantined)
  append(into.predictions, predictions)
  append(into.alerts, alerts)
  append(into.commands, commands)
}

function append<Item>(list: Item[], items: readonly Item[]): void {
  for (const item of items) list.push(item)
}
