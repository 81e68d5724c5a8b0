import { HomeostatError, type Problem } from '../core/errors.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'

/** A batch on its way: `next` is the first row without a turn, `open` the rows without a commit. */
export interface Delivery {
  readonly batch: readonly RawReading[]
  readonly queue: SourceQueue
  readonly rejected: { index: number; problem: Problem }[]
  next: number
  open: number
  failed: boolean
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/** What one source has handed in and has no answer for yet. */
export interface SourceQueue {
  readonly name: string
  deliveries: Delivery[]
  /** Readings without an answer; a further batch waits outside while there are as many as the quota. */
  unanswered: number
  readonly outside: (() => void)[]
}

/**
 * Bounded queues of batches, one a source, served in turn: a source that floods the hub fills its own quota and delays
 * no other by more than one slice.
 */
export class Inbox {
  readonly #queues = new Map<string, SourceQueue>()
  readonly #quota: number
  /** Index of the queue that is served next. */
  #turn = 0
  #stopping = false

  /** `quota`: unanswered readings of one source. */
  constructor(quota: number) {
    this.#quota = quota
  }

  /** Readings that have no answer yet, of all sources. */
  get unanswered(): number {
    let sum = 0
    for (const { unanswered } of this.#queues.values()) sum += unanswered
    return sum
  }

  isFull(source: string): boolean {
    return (this.#queues.get(source)?.unanswered ?? 0) >= this.#quota
  }

  /** Resolves when fewer than `readings` of the source are unanswered, or the inbox stops. */
  async whenBelow(source: string, readings: number): Promise<void> {
    const queue = this.#queue(source)
    while (queue.unanswered >= readings && !this.#stopping) {
      await outside(queue)
    }
  }

  /** Adds a batch when its source has room; `added` is called once it is in. Rejects with `stopping`. */
  async add(source: string, batch: readonly RawReading[], added: () => void): Promise<Receipt> {
    const queue = this.#queue(source)
    // looked at and entered in one tick: of those that are woken together only as many enter as there is room for
    while (queue.unanswered >= this.#quota && !this.#stopping) await outside(queue)
    if (this.#stopping) throw new HomeostatError('stopping')
    const receipt = new Promise<Receipt>((resolve, reject) => {
      const rest = { rejected: [], next: 0, open: batch.length, failed: false, resolve, reject }
      queue.deliveries.push({ batch, queue, ...rest })
    })
    queue.unanswered += batch.length
    added()
    return receipt
  }

  /** The next delivery with rows left, of the source whose turn it is. */
  next(): Delivery | undefined {
    const queues = [...this.#queues.values()]
    for (let step = 0; step < queues.length; step++) {
      const index = (this.#turn + step) % queues.length
      const delivery = queues[index]!.deliveries[0]
      if (!delivery) continue
      this.#turn = index + 1
      return delivery
    }
    return undefined
  }

  /** All rows of the delivery are in turns. */
  taken({ queue }: Delivery): void {
    queue.deliveries.shift()
  }

  /** So many rows of the delivery are committed; the sender is answered with the last of them. */
  settle(delivery: Delivery, count: number): void {
    delivery.open -= count
    this.#leave(delivery.queue, count)
    if (delivery.open > 0 || delivery.failed) return
    const { batch, rejected } = delivery
    delivery.resolve({ accepted: batch.length - rejected.length, rejected })
  }

  /** So many rows of the delivery were lost: the sender is told, and keeps the batch. */
  fail(delivery: Delivery, count: number, error: HomeostatError): void {
    if (!delivery.failed) delivery.reject(error)
    delivery.failed = true
    // rows without a turn are not needed any more: the sender sends the batch again
    const left = delivery.batch.length - delivery.next
    if (left > 0) {
      delivery.next = delivery.batch.length
      delivery.queue.deliveries = delivery.queue.deliveries.filter((other) => other !== delivery)
    }
    this.#leave(delivery.queue, count + left)
  }

  /** Batches outside are refused; what is in is served. */
  stop(): void {
    this.#stopping = true
    for (const queue of this.#queues.values()) letIn(queue)
  }

  #leave(queue: SourceQueue, count: number): void {
    queue.unanswered -= count
    letIn(queue)
  }

  #queue(name: string): SourceQueue {
    let queue = this.#queues.get(name)
    if (!queue) {
      queue = { name, deliveries: [], unanswered: 0, outside: [] }
      this.#queues.set(name, queue)
    }
    return queue
  }
}

const outside = (queue: SourceQueue): Promise<void> => new Promise((resolve) => queue.outside.push(resolve))

/** Wakes those that wait; each looks again whether there is room for it. */
function letIn(queue: SourceQueue): void {
  for (const enter of queue.outside.splice(0)) enter()
}
