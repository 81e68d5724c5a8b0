/** Writes times into prepared buffers without making a string for each: a second's text is made once. */
export class Stamp {
  readonly #iso = Buffer.alloc(24)
  #second = Number.NaN

  /** 24 bytes, as Date.toISOString. */
  iso(target: Buffer, offset: number, at: number): void {
    const second = Math.floor(at / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#iso.write(new Date(second * 1000).toISOString(), 'latin1')
    }
    const ms = at - second * 1000
    this.#iso[20] = 48 + Math.floor(ms / 100)
    this.#iso[21] = 48 + (Math.floor(ms / 10) % 10)
    this.#iso[22] = 48 + (ms % 10)
    target.set(this.#iso, offset)
  }

  /** 13 digits: ms since 1970. */
  digits(target: Buffer, offset: number, at: number): void {
    let rest = at
    for (let i = offset + 12; i >= offset; i--) {
      const next = Math.floor(rest / 10)
      target[i] = 48 + (rest - next * 10)
      rest = next
    }
  }
}
