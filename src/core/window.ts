/**
 * The newest `capacity` values of one series, ordered by time, one value per time.
 * Two rings on typed arrays; the common case (newer than all) writes one slot.
 */
export class Window {
  readonly capacity: number
  readonly #at: Float64Array
  readonly #value: Float64Array
  #start = 0
  #count = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#at = new Float64Array(capacity)
    this.#value = new Float64Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  /** Time of the newest value, -Infinity while empty. */
  get newestAt(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#at[this.#slot(this.#count - 1)]!
  }

  /** Newest value, NaN while empty. */
  get newestValue(): number {
    return this.#count === 0 ? Number.NaN : this.#value[this.#slot(this.#count - 1)]!
  }

  /** Forgets values later than `at`. */
  forgetAfter(at: number): void {
    while (this.newestAt > at) this.#count--
  }

  /** Oldest first. Copies. */
  columns(): { at: Float64Array; value: Float64Array } {
    const at = new Float64Array(this.#count)
    const value = new Float64Array(this.#count)
    for (let index = 0; index < this.#count; index++) {
      const slot = this.#slot(index)
      at[index] = this.#at[slot]!
      value[index] = this.#value[slot]!
    }
    return { at, value }
  }

  /**
   * Takes a value in. A value older than all of a full window is left out; the same time again replaces the value.
   * Returns false when nothing changed (the same again, or too old).
   */
  push(at: number, value: number): boolean {
    if (at > this.newestAt) {
      this.#append(at, value)
      return true
    }
    const index = this.#firstNotBefore(at)
    const slot = this.#slot(index)
    if (this.#at[slot] === at) {
      const changed = this.#value[slot] !== value
      this.#value[slot] = value
      return changed
    }
    return this.#insert(index, at, value)
  }

  #append(at: number, value: number): void {
    const slot = this.#slot(this.#count)
    this.#at[slot] = at
    this.#value[slot] = value
    if (this.#count < this.capacity) this.#count++
    else this.#start = this.#start + 1 === this.capacity ? 0 : this.#start + 1
  }

  #insert(index: number, at: number, value: number): boolean {
    const full = this.#count === this.capacity
    // older than the window: not kept, and whether it was there before is not known
    if (full && index === 0) return true
    // a full window loses its oldest: everything before the place moves one down; else everything behind moves up
    if (full) {
      for (let to = 0; to < index - 1; to++) this.#move(to + 1, to)
      this.#put(index - 1, at, value)
    } else {
      for (let to = this.#count; to > index; to--) this.#move(to - 1, to)
      this.#put(index, at, value)
      this.#count++
    }
    return true
  }

  #move(from: number, to: number): void {
    const source = this.#slot(from)
    this.#put(to, this.#at[source]!, this.#value[source]!)
  }

  #put(index: number, at: number, value: number): void {
    const slot = this.#slot(index)
    this.#at[slot] = at
    this.#value[slot] = value
  }

  #firstNotBefore(at: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#at[this.#slot(middle)]! < at) low = middle + 1
      else high = middle
    }
    return low
  }

  #slot(index: number): number {
    const slot = this.#start + index
    return slot >= this.capacity ? slot - this.capacity : slot
  }
}
