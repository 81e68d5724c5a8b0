import type { Alert, Series } from '../core/event.ts'
import type { Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import { isDerived } from '../core/series.ts'
import { TargetMap } from '../core/target.ts'
import { createTurn, type Turn } from '../core/turn.ts'
import type { LeftBehind } from './cell.ts'
import type { Directory } from './directory.ts'
import type { Reactor } from './reactor.ts'
import type { Watcher } from './watcher.ts'

export interface RestoreParts {
  readonly readings: Pick<ReadingStore, 'newest' | 'scan'>
  readonly ledger: Pick<Ledger, 'alerts' | 'monitorStates' | 'dirtySpans'>
  readonly windows: WindowStore
  readonly directory: Directory
  readonly reactor: Reactor
  readonly log: Log
}

/** Open alerts that are taken up. */
const openAlertsMax = 100_000

/**
 * Takes up where the last process stopped: windows, monitors at their saved states, and what was stored after these,
 * replayed as history. `latestMs`: readings later than this are of a clock that was ahead. Returns what the replay concluded; it belongs into the first commit.
 */
export async function restoreSites(
  parts: RestoreParts,
  windowReadings: number,
  latestMs: number,
): Promise<Turn> {
  const { readings, ledger, windows, directory, reactor } = parts
  for (const reading of await readings.newest(windowReadings)) {
    windows.push(reading)
    // a crash between the two stores may have left readings whose site the ledger does not know
    if (!isDerived(reading.device)) directory.see(reading)
  }
  forgetFuture(windows, latestMs)
  const bySite = new Map<string, Series[]>()
  for (const { site, device, metric, unit, room } of windows.latest()) {
    const series = { site, device, metric, unit, ...(room === undefined ? {} : { room }) }
    const others = bySite.get(site)
    if (others) others.push(series)
    else bySite.set(site, [series])
  }
  const left = await leftBehind(ledger)
  for (const [site, series] of bySite) reactor.restore(site, series, left)
  for (const dirty of await ledger.dirtySpans()) reactor.restoreDirty(dirty)
  const turn = createTurn()
  for (const watcher of reactor.watchers()) await catchUp(parts, watcher, turn)
  // what was raised before the last process ended is known already
  reactor.takeAlerts()
  return turn
}

/** What was stored while the clock of the hub was ahead must not stay the newest, where there is anything else. */
function forgetFuture(windows: WindowStore, latestMs: number): void {
  for (const reading of windows.latest()) {
    if (reading.at <= latestMs) continue
    const [oldest = Number.POSITIVE_INFINITY] = windows.get(reading).at
    if (oldest <= latestMs) windows.forgetAfter(reading, latestMs)
  }
}

async function leftBehind(ledger: RestoreParts['ledger']): Promise<LeftBehind> {
  const states = new TargetMap<unknown>()
  for (const { target, state } of await ledger.monitorStates())
    if (state !== undefined) states.set(target, JSON.parse(state))
  const open = new TargetMap<Alert[]>()
  for (const alert of await ledger.alerts({ open: true }, openAlertsMax)) {
    open.set(alert.target, [...(open.get(alert.target) ?? []), alert])
  }
  return {
    state: (target) => states.get(target),
    openAlerts: (target) => open.get(target) ?? [],
  }
}

/** Replays what a monitor has not seen: from the windows where they reach back far enough, else from the store. */
async function catchUp(
  { windows, readings, reactor }: RestoreParts,
  watcher: Watcher,
  turn: Turn,
): Promise<void> {
  const isNew = !watcher.hasPosition
  const missed: { readonly at: number; readonly value: number; readonly series: Series }[] = []
  for (const series of watcher.scope.sources) {
    const position = watcher.position(series)
    if (windows.newestAt(series) <= position) continue
    const window = windows.get(series)
    // without a saved state the windows are where it begins; see below
    const isWithin = isNew || window.at[0]! <= position
    const parts = isWithin ? [window] : readings.scan(series, position + 1, Number.POSITIVE_INFINITY)
    for await (const { at, value } of parts) {
      for (let row = 0; row < at.length; row++) {
        if (at[row]! > position) missed.push({ at: at[row]!, value: value[row]!, series })
      }
    }
  }
  missed.sort((a, b) => a.at - b.at)
  for (const { at, value, series } of missed) reactor.replay(watcher, { ...series, at, value }, turn)
  const newest = missed.at(-1)
  // readings of a time before there was this monitor
  if (isNew && newest && watcher.domain.rebuild) {
    reactor.markDirty(watcher, { from: 0, to: newest.at + 1 })
  }
}
