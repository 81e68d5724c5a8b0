/**
 * Running mean and variance (Welford 1962), with removal of an observed value and merging of two halves
 * (Chan, Golub, LeVeque 1979). No pass over the data, no sum of squares that cancels.
 */
export class RunningStats {
  #count = 0
  #mean = 0
  #squares = 0

  get count(): number {
    return this.#count
  }

  /** Mean, NaN while empty. */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#mean
  }

  /** Sample variance (n - 1), NaN below two values. */
  get variance(): number {
    return this.#count < 2 ? Number.NaN : Math.max(0, this.#squares) / (this.#count - 1)
  }

  /** Sample standard deviation, NaN below two values. */
  get std(): number {
    return Math.sqrt(this.variance)
  }

  update(value: number): void {
    this.#count++
    const delta = value - this.#mean
    this.#mean += delta / this.#count
    this.#squares += delta * (value - this.#mean)
  }

  /** Takes back a value that was observed before. */
  revert(value: number): void {
    if (this.#count === 0) throw new RangeError('Nothing was observed that could be taken back.')
    if (this.#count === 1) {
      this.#count = 0
      this.#mean = 0
      this.#squares = 0
      return
    }
    const delta = value - this.#mean
    this.#count--
    this.#mean -= delta / this.#count
    this.#squares -= delta * (value - this.#mean)
  }

  /** Adds what another one observed. */
  merge(other: RunningStats): void {
    if (other.#count === 0) return
    const count = this.#count + other.#count
    const delta = other.#mean - this.#mean
    this.#squares += other.#squares + (delta * delta * this.#count * other.#count) / count
    this.#mean += (delta * other.#count) / count
    this.#count = count
  }
}
