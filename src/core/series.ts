import type { SeriesKey } from './event.ts'
import type { Target } from './target.ts'

/**
 * Identity of a series as one text. Ids hold no control characters, so the unit separator (U+001F) cannot occur in them.
 */
export const seriesId = (key: SeriesKey): string => `${key.site}\u001f${key.device}\u001f${key.metric}`

/** First character of the device of a derived series; refused in readings from outside. */
const derivedMark = '@'

/** Device of the series that a domain derives for a target: `@energy:fridge`. */
export const derivedDevice = ({ domain, subject }: Pick<Target, 'domain' | 'subject'>): string =>
  `${derivedMark}${domain}:${subject}`

/** Whether the device holds series that a domain derived, such as `@energy:fridge`, rather than measured ones. */
export const isDerived = (device: string): boolean => device.startsWith(derivedMark)

/** The target that a derived series belongs to; undefined for a measured one. */
export function targetOfDerived({ site, device }: Pick<SeriesKey, 'site' | 'device'>): Target | undefined {
  if (!isDerived(device)) return undefined
  const end = device.indexOf(':')
  if (end < 0) return undefined
  return { site, domain: device.slice(1, end), subject: device.slice(end + 1) }
}

/** Order of series in lists: site, device, metric by code unit. */
export function compareSeries(a: SeriesKey, b: SeriesKey): number {
  return compare(a.site, b.site) || compare(a.device, b.device) || compare(a.metric, b.metric)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * A map from series to anything. Three look-ups in nested maps beat building the key text for every reading.
 */
export class SeriesMap<Value> {
  readonly #sites = new Map<string, Map<string, Map<string, Value>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: SeriesKey): Value | undefined {
    return this.#sites.get(key.site)?.get(key.device)?.get(key.metric)
  }

  set(key: SeriesKey, value: Value): void {
    let devices = this.#sites.get(key.site)
    if (!devices) {
      devices = new Map()
      this.#sites.set(key.site, devices)
    }
    let metrics = devices.get(key.device)
    if (!metrics) {
      metrics = new Map()
      devices.set(key.device, metrics)
    }
    if (!metrics.has(key.metric)) this.#size++
    metrics.set(key.metric, value)
  }

  delete(key: SeriesKey): boolean {
    const deleted = this.#sites.get(key.site)?.get(key.device)?.delete(key.metric) ?? false
    if (deleted) this.#size--
    return deleted
  }

  removeSite(site: string): void {
    for (const metrics of this.#sites.get(site)?.values() ?? []) this.#size -= metrics.size
    this.#sites.delete(site)
  }

  *values(): IterableIterator<Value> {
    for (const devices of this.#sites.values())
      for (const metrics of devices.values()) yield* metrics.values()
  }
}
