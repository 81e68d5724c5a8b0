import fc from 'fast-check'
import { minuteMs, secondMs } from '../../src/core/time.ts'

/**
 * Histories of a home whose senders, disk and process fail. Each sender keeps the order of its readings and sends a
 * batch until it is acknowledged, as MQTT and the import do; senders overtake each other, some batches of the meter
 * are held back and arrive after later ones, and any batch may be sent again.
 */

export interface Row {
  readonly device: string
  readonly metric: string
  readonly value: number
  readonly at: number
}

export type Batch = readonly Row[]

/** What happens while a batch is delivered. */
export type Mishap =
  | 'none'
  /** The commit fails once and is tried again by the hub. */
  | 'retry'
  /** The readings of the turn, or its facts, cannot be stored: the sender sends again. */
  | 'append fails'
  | 'record fails'
  /** The process ends before the answer, with nothing, the facts or everything of the turn on disk. */
  | 'killed before the record'
  | 'killed before the append'
  | 'killed after the append'
  /** The acknowledgement is lost, and the sender sends again. */
  | 'sent twice'

export const mishaps: readonly Mishap[] = [
  ...(['none', 'none', 'none', 'retry', 'append fails', 'record fails', 'killed before the record'] as const),
  ...(['killed before the append', 'killed after the append', 'sent twice'] as const),
]

export interface Delivery {
  readonly sender: number
  readonly mishap: Mishap
  /** Delivered after the next batch of the sender (meters only). */
  readonly heldBack: boolean
}

export interface History {
  /** By sender, in order. */
  readonly batches: readonly (readonly Batch[])[]
  readonly deliveries: readonly Delivery[]
}

export const startMs = Date.UTC(2026, 2, 2, 9)

/** Senders 0 and 1 are thermometers that may get hot, senders 2 and 3 meters. */
const isMeter = (sender: number): boolean => sender >= 2

const batchOf = (sender: number, number: number, values: readonly number[]): Batch =>
  values.map((value, index) => ({
    device: `d${sender}`,
    metric: isMeter(sender) ? 'power' : 'temperature',
    value: isMeter(sender) ? value * 10 : value,
    // readings each minute, a little apart from sender to sender
    at: startMs + (number * batchRows + index) * minuteMs + sender * secondMs,
  }))

export const batchRows = 4

const deliveriesArbitrary = fc.array(
  fc.record({
    sender: fc.integer({ min: 0, max: 3 }),
    mishap: fc.constantFrom(...mishaps),
    heldBack: fc.boolean(),
  }),
  { minLength: 8, maxLength: 32 },
)

/** Values of the thermometers cross the limit of 50 often. */
const valuesArbitrary = fc.array(
  fc.array(fc.integer({ min: 40, max: 60 }), { minLength: batchRows, maxLength: batchRows }),
  { minLength: 32, maxLength: 32 },
)

export const historyArbitrary: fc.Arbitrary<History> = fc
  .record({ deliveries: deliveriesArbitrary, values: valuesArbitrary })
  .map(({ deliveries, values }) => ({
    deliveries: deliveries.map((delivery) => ({
      ...delivery,
      heldBack: delivery.heldBack && isMeter(delivery.sender),
    })),
    batches: [0, 1, 2, 3].map((sender) =>
      deliveries
        .filter((one) => one.sender === sender)
        .map((_, number) => batchOf(sender, number, values[number]!)),
    ),
  }))

/** The order in which batches are delivered: one held back goes after the next one of its sender. */
export function orderOf({
  batches,
  deliveries,
}: History): { readonly batch: Batch; readonly mishap: Mishap }[] {
  const next = batches.map(() => 0)
  const held = new Map<number, { batch: Batch; mishap: Mishap }>()
  const order: { batch: Batch; mishap: Mishap }[] = []
  for (const { sender, mishap, heldBack } of deliveries) {
    const one = { batch: batches[sender]![next[sender]!]!, mishap }
    next[sender]!++
    const waiting = held.get(sender)
    if (heldBack && !waiting) held.set(sender, one)
    else {
      order.push(one)
      if (waiting) order.push(waiting)
      held.delete(sender)
    }
  }
  return [...order, ...held.values()]
}
