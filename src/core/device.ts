import type { Alert, Device, SeriesKey } from './event.ts'
import type { VersionKey } from './life.ts'
import type { Target } from './target.ts'

/** What people do to devices: rename, place, hide, merge, delete, and take back. */

/** What a device measures of the energy of its site. `house`: all that the house uses; `device`: one consumer. */
export const meterRoles = ['grid', 'solar', 'battery', 'house', 'device'] as const
export type MeterRole = (typeof meterRoles)[number]

/** A series that a removal hides; with `into`, its readings are those of that series now. */
export interface RemovedSeries {
  readonly key: SeriesKey
  readonly unit: string
  readonly into?: SeriesKey
}

/** A device or series that a person deleted or merged. Everything of it is kept, hidden, until `until`. */
export interface Removal {
  readonly id: string
  readonly kind: 'deleted' | 'merged'
  readonly site: string
  readonly device: string
  /** The one series that was deleted; absent: the whole device. */
  readonly metric?: string
  /** The device that it was merged into. */
  readonly into?: string
  /** The device as it was; absent where one series was deleted. */
  readonly known?: Device
  /** UTC ms. */
  readonly at: number
  /** From then on it is erased, UTC ms. */
  readonly until: number
  /** Who did it. */
  readonly by: string
  /** Measured and derived. */
  readonly series: readonly RemovedSeries[]
  /** Targets that are gone with them: their models, forecasts, predictions and alerts are hidden. */
  readonly targets: readonly Target[]
  /** Targets that keep other sources: of theirs, only alerts about the removed series are hidden. */
  readonly narrowed: readonly Target[]
}

/** Whether an alert is about one of the removed series. */
export const isAboutRemoved = ({ series }: Removal, { target, device, metric }: Alert): boolean =>
  series.some(({ key }) => key.site === target.site && key.device === device && key.metric === metric)

/** A change of a device as the journal keeps it, so that both stores apply it in the order of the readings. */
export type DeviceChange =
  /** The whole device as it is from now on. */
  | { readonly kind: 'edited'; readonly device: Device }
  | { readonly kind: 'removed'; readonly removal: Removal }
  | { readonly kind: 'restored'; readonly removal: Removal }
  | { readonly kind: 'erased'; readonly removal: Removal }

/** Readings of `device` are stored as those of `into`. */
export interface Merge {
  readonly site: string
  readonly device: string
  readonly into: string
}

/** Removals that can be undone, and merges, which outlive them. Both change by `Ledger.change` only. */
export interface RemovalLedger {
  /** The newest first, then by id. */
  list(site?: string): Promise<Removal[]>
  merges(): Promise<Merge[]>
  /** Versions of models that the removal hides. */
  versions(removal: Removal): Promise<VersionKey[]>
}

/** Ids hold no control characters, so the record separator (U+001E) marks what a removal hides. */
const hiddenMark = '\u001e'

/** The name under which a store keeps what a removal hides of a device or subject. */
export const hiddenName = (name: string, removal: string): string => `${name}${hiddenMark}${removal}`

/** The name before it was hidden, and by which removal; undefined where it is not hidden. */
export function hiddenBy(name: string): { readonly name: string; readonly removal: string } | undefined {
  const end = name.indexOf(hiddenMark)
  return end < 0 ? undefined : { name: name.slice(0, end), removal: name.slice(end + 1) }
}

/** A key of a series under the name that a removal gives it. */
export const hiddenKey = ({ site, device, metric }: SeriesKey, removal: string): SeriesKey => ({
  site,
  device: hiddenName(device, removal),
  metric,
})
