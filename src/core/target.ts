/**
 * What a model, a monitor or an alert is about: `home/energy/fridge`, `home/occupancy/kitchen`. The subject `*` is the
 * whole site, or all targets of the domain for a shared model. A subject may contain slashes (Zigbee names do), so the
 * three parts are never joined by one.
 */
export interface Target {
  readonly site: string
  /** Name of the domain, e.g. `energy`. */
  readonly domain: string
  /** A device, a room or `*`. */
  readonly subject: string
}

/** The subject of a target that is a whole site, or of a model shared by all targets of a domain. */
export const wholeSite = '*'

/** Identity of a target as one text. Ids hold no control characters, so the unit separator cannot occur in them. */
export const targetId = ({ site, domain, subject }: Target): string =>
  `${site}\u001f${domain}\u001f${subject}`

/** Order of targets in lists: site, domain, subject by code unit. */
export const compareTargets = (a: Target, b: Target): number =>
  compare(a.site, b.site) || compare(a.domain, b.domain) || compare(a.subject, b.subject)

export const isSameTarget = (a: Target, b: Target): boolean => compareTargets(a, b) === 0

/** For people: `home/energy/fridge`. Not an identity, since a subject may contain slashes. */
export const targetName = ({ site, domain, subject }: Target): string => `${site}/${domain}/${subject}`

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A map from targets to anything. */
export class TargetMap<Value> {
  readonly #entries = new Map<string, { readonly target: Target; readonly value: Value }>()

  get size(): number {
    return this.#entries.size
  }

  get(target: Target): Value | undefined {
    return this.#entries.get(targetId(target))?.value
  }

  set(target: Target, value: Value): void {
    this.#entries.set(targetId(target), { target, value })
  }

  delete(target: Target): boolean {
    return this.#entries.delete(targetId(target))
  }

  /** Cost: one pass over all targets. */
  removeSite(site: string): void {
    for (const [id, { target }] of this.#entries) if (target.site === site) this.#entries.delete(id)
  }

  *values(): IterableIterator<Value> {
    for (const { value } of this.#entries.values()) yield value
  }

  *entries(): IterableIterator<readonly [Target, Value]> {
    for (const { target, value } of this.#entries.values()) yield [target, value]
  }
}
