/** Something that wants to be woken at a time. */
export interface Sleeper {
  /** UTC ms; Infinity: never. */
  readonly wakeAt: number
}

interface Entry<Item> {
  readonly at: number
  readonly item: Item
}

/**
 * A binary heap of what is to be woken when. An item whose time moved later stays where it is and is put back when its
 * old time comes, so that a time that moves with every reading costs nothing.
 */
export class WakeQueue<Item extends Sleeper> {
  readonly #heap: Entry<Item>[] = []
  /** The earliest entry of each item. */
  readonly #queuedAt = new Map<Item, number>()

  get size(): number {
    return this.#queuedAt.size
  }

  /** When the next item may be due, UTC ms; Infinity when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** To be called when the item's `wakeAt` may have changed. */
  update(item: Item): void {
    const { wakeAt } = item
    if (!Number.isFinite(wakeAt) || wakeAt >= (this.#queuedAt.get(item) ?? Number.POSITIVE_INFINITY)) return
    this.#queuedAt.set(item, wakeAt)
    this.#push({ at: wakeAt, item })
  }

  delete(item: Item): void {
    this.#queuedAt.delete(item)
  }

  /** When the next item is due, as `nextAt`, once those that want to be woken later than before are put back. */
  refresh(now: number): number {
    while (this.nextAt <= now) {
      const { at, item } = this.#heap[0]!
      const isQueued = this.#queuedAt.get(item) === at
      if (isQueued && item.wakeAt <= now) break
      this.#take()
      // removed, or woken by an earlier entry
      if (!isQueued) continue
      this.#queuedAt.delete(item)
      this.update(item)
    }
    return this.nextAt
  }

  /** Takes the next item that is due at `now`; undefined when there is none. */
  pop(now: number): Item | undefined {
    if (this.refresh(now) > now) return undefined
    const { item } = this.#take()
    this.#queuedAt.delete(item)
    return item
  }

  #push(entry: Entry<Item>): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= entry.at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  #take(): Entry<Item> {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= last.at) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}
