/** When each of many things wants to be looked at next: a binary heap, so that a change costs log n. */
export class WakeQueue {
  readonly #heap: { readonly at: number; readonly id: string }[] = []
  /** The time that counts; entries of the heap with another one are left over from before. */
  readonly #due = new Map<string, number>()

  /** The earliest time; Infinity where nothing waits. */
  get wakeAt(): number {
    return this.#top()?.at ?? Number.POSITIVE_INFINITY
  }

  /** Replaces the time of `id`; Infinity takes it out. */
  set(id: string, at: number): void {
    if (this.#due.get(id) === at) return
    if (at === Number.POSITIVE_INFINITY) {
      this.#due.delete(id)
      return
    }
    this.#due.set(id, at)
    this.#heap.push({ at, id })
    this.#up(this.#heap.length - 1)
  }

  delete(id: string): void {
    this.#due.delete(id)
  }

  /** Takes out one of those whose time has come, the earliest. */
  pop(now: number): string | undefined {
    const top = this.#top()
    if (top === undefined || top.at > now) return undefined
    this.#due.delete(top.id)
    this.#drop()
    return top.id
  }

  #top(): { readonly at: number; readonly id: string } | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || this.#due.get(top.id) === top.at) return top
      this.#drop()
    }
  }

  #drop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #up(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfEarlier(index, parent)) return
      index = parent
    }
  }

  #down(from: number): void {
    let index = from
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      const first = this.#atOf(right) < this.#atOf(left) ? right : left
      if (!this.#swapIfEarlier(first, index)) return
      index = first
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (this.#atOf(child) >= this.#atOf(parent)) return false
    const [a, b] = [this.#heap[child]!, this.#heap[parent]!]
    this.#heap[child] = b
    this.#heap[parent] = a
    return true
  }

  #atOf(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY
  }
}
