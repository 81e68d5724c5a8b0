import type { StoredModel } from '../../core/life.ts'
import { type Target, targetId } from '../../core/target.ts'

/** Characters of the bodies that are kept; a model has some 50,000. */
const charactersMax = 32 * 1024 * 1024

/**
 * Models that were read and opened well, so that they are not read again each hour. A version never changes; whether it
 * is still the one to use is told by the pointer. The one that was used longest ago is dropped first.
 */
export class ModelCache {
  readonly #models = new Map<string, StoredModel>()
  #characters = 0

  get(target: Target, version: string): StoredModel | undefined {
    const key = keyOf(target, version)
    const model = this.#models.get(key)
    if (!model) return undefined
    this.#models.delete(key)
    this.#models.set(key, model)
    return model
  }

  add(model: StoredModel): void {
    const { target, model: ref } = model.card
    this.drop(target, ref.version)
    this.#models.set(keyOf(target, ref.version), model)
    this.#characters += model.body.length
    for (const oldest of this.#models.values()) {
      if (this.#characters <= charactersMax) break
      this.drop(oldest.card.target, oldest.card.model.version)
    }
  }

  drop(target: Target, version: string): void {
    const key = keyOf(target, version)
    this.#characters -= this.#models.get(key)?.body.length ?? 0
    this.#models.delete(key)
  }

  /** Of these sites; null: all. */
  forget(sites: readonly string[] | null): void {
    if (sites === null) {
      this.#models.clear()
      this.#characters = 0
    } else for (const site of sites) this.removeSite(site)
  }

  removeSite(site: string): void {
    for (const { card } of [...this.#models.values()])
      if (card.target.site === site) this.drop(card.target, card.model.version)
  }
}

const keyOf = (target: Target, version: string): string => `${targetId(target)}\u001f${version}`
