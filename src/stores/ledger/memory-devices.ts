import {
  type DeviceChange,
  isAboutRemoved,
  type Merge,
  type Removal,
  type RemovalLedger,
} from '../../core/device.ts'
import type { Alert, Device } from '../../core/event.ts'
import { type ModelEntry, naiveVersion, type VersionKey } from '../../core/life.ts'
import { isSameTarget, type Target } from '../../core/target.ts'
import { siteAndId } from './keys.ts'
import { compare } from './memory-upkeep.ts'

/** Puts back what was taken out. */
export type PutBack = () => void

/** Takes rows out of a map. Those that are there again under their keys when they are put back stay. */
export function takeOut<Key, Row>(rows: Map<Key, Row>, isGone: (row: Row) => boolean): PutBack {
  const taken = [...rows].filter(([, row]) => isGone(row))
  for (const [key] of taken) rows.delete(key)
  return () => {
    for (const [key, row] of taken) if (!rows.has(key)) rows.set(key, row)
  }
}

/** What a removal takes out of a part of the ledger. */
export type TakeOut = (removal: Removal) => PutBack

interface Kept {
  readonly removal: Removal
  readonly putBack: readonly PutBack[]
  readonly versions: readonly VersionKey[]
}

interface Parts {
  readonly devices: Map<string, Device>
  readonly putDevices: (devices: readonly Device[]) => Promise<void>
  readonly models: { of(target: Target): Promise<ModelEntry[]> }
  readonly takeOut: readonly TakeOut[]
}

/** Removals in memory: what is hidden lies aside. */
export class MemoryRemovals implements RemovalLedger {
  readonly #parts: Parts
  readonly #kept = new Map<string, Kept>()
  readonly #merges = new Map<string, Merge>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async list(site?: string): Promise<Removal[]> {
    return [...this.#kept.values()]
      .map(({ removal }) => removal)
      .filter((removal) => site === undefined || removal.site === site)
      .sort((a, b) => b.at - a.at || compare(a.id, b.id))
  }

  async merges(): Promise<Merge[]> {
    return [...this.#merges.values()].sort((a, b) => compare(a.site, b.site) || compare(a.device, b.device))
  }

  async versions({ id }: Removal): Promise<VersionKey[]> {
    return [...(this.#kept.get(id)?.versions ?? [])]
  }

  async change(change: DeviceChange): Promise<void> {
    if (change.kind === 'edited') return this.#parts.putDevices([change.device])
    const { removal } = structuredClone(change)
    if (change.kind === 'removed') return this.#hide(removal)
    const kept = this.#kept.get(removal.id)
    this.#kept.delete(removal.id)
    if (!kept || change.kind === 'erased') return
    if (removal.kind === 'merged') this.#merges.delete(mergeId(removal))
    for (const putBack of kept.putBack) putBack()
  }

  removeSite(site: string): void {
    for (const [id, { removal }] of this.#kept) if (removal.site === site) this.#kept.delete(id)
    for (const [id, merge] of this.#merges) if (merge.site === site) this.#merges.delete(id)
  }

  async #hide(removal: Removal): Promise<void> {
    if (this.#kept.has(removal.id)) return
    const entries = (await Promise.all(removal.targets.map((target) => this.#parts.models.of(target)))).flat()
    const versions = entries.map(({ card }) => ({ target: card.target, version: card.model.version }))
    const putBack = this.#parts.takeOut.map((take) => take(removal))
    putBack.push(this.#hideDevice(removal))
    this.#kept.set(removal.id, { removal, putBack, versions })
    const { site, device, into } = removal
    if (into !== undefined) this.#merges.set(mergeId(removal), { site, device, into })
  }

  #hideDevice({ site, device, metric }: Removal): PutBack {
    const key = siteAndId({ site, id: device })
    const known = this.#parts.devices.get(key)
    if (!known || metric !== undefined) return () => undefined
    this.#parts.devices.delete(key)
    // one that appeared under the id since: what people said of the old one counts
    return () => void this.#parts.devices.set(key, known)
  }
}

const mergeId = ({ site, device }: Pick<Removal, 'site' | 'device'>): string =>
  siteAndId({ site, id: device })

/** Whether a removal hides what is known of the target. */
export const hides = ({ targets }: Removal, target: Target): boolean =>
  targets.some((gone) => isSameTarget(gone, target))

/** The same for an alert, which may be about one of several sources of its target. */
export const hidesAlert = (removal: Removal, alert: Alert): boolean =>
  hides(removal, alert.target) ||
  (removal.narrowed.some((target) => isSameTarget(target, alert.target)) && isAboutRemoved(removal, alert))

/** One learnt version is live, and the naive one only without: the one that is served now stays. */
export function settleLive(now: readonly ModelEntry[], before: readonly ModelEntry[]): ModelEntry[] {
  const isLive = ({ status, card }: ModelEntry): boolean =>
    status === 'live' && card.model.version !== naiveVersion
  const retire = (entry: ModelEntry): ModelEntry => ({ ...entry, status: 'retired' })
  if (now.some(isLive)) return before.map((entry) => (isLive(entry) ? retire(entry) : entry))
  if (!before.some(isLive)) return [...before]
  const naive = now.filter(({ status }) => status === 'live').map(retire)
  return [...before, ...naive]
}
