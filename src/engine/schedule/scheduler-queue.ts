import { zoneOffsetMs } from '../../core/calendar.ts'
import type { QueuedEvent } from '../../core/life.ts'

/** The status of a function in the terms of the care hub: one entry a run to come, the next one first. */
export interface FunctionStatus {
  readonly name: string
  readonly subs: readonly string[]
  /** UTC ms; null before the first run. */
  readonly last_invoke: number | null
  readonly events: readonly { readonly ready: readonly string[]; readonly waiting: readonly string[] }[]
}

/** The body of a call: each event by its name, with what came with it and the wall clock of the hub's zone. */
export type CallBody = Record<string, { readonly data?: unknown; readonly timestamp: string }>

/** The oldest of each event, or undefined while one has not arrived. */
export function firstOfEach(
  events: readonly string[],
  queue: readonly QueuedEvent[],
): readonly QueuedEvent[] | undefined {
  const first = events.map((name) => queue.find(({ event }) => event === name))
  return first.every((item) => item !== undefined) ? first : undefined
}

/** With one more event at the end; of its own kind at most `most` stay, the newest. `dropped` is the one that had to go. */
export function withEvent(
  queue: readonly QueuedEvent[],
  added: QueuedEvent,
  most: number,
): { readonly queue: readonly QueuedEvent[]; readonly dropped: QueuedEvent | undefined } {
  const same = queue.filter(({ event }) => event === added.event)
  const dropped = same.length >= most ? same[0] : undefined
  return { queue: [...(dropped ? queue.filter((item) => item !== dropped) : queue), added], dropped }
}

/** The k-th run has the k-th of each event; what is not there yet is waited for. */
export function roundsOf(events: readonly string[], queue: readonly QueuedEvent[]): FunctionStatus['events'] {
  const counts = events.map((name) => queue.filter(({ event }) => event === name).length)
  return Array.from({ length: Math.max(0, ...counts) }, (_, round) => ({
    ready: events.filter((_name, index) => counts[index]! > round),
    waiting: events.filter((_name, index) => counts[index]! <= round),
  }))
}

export function bodyOf(events: readonly QueuedEvent[], zone: string): CallBody {
  return Object.fromEntries(
    events.map(({ event, at, data }) => [
      event,
      { ...(data === '' ? {} : { data: JSON.parse(data) as unknown }), timestamp: wallClock(zone, at) },
    ]),
  )
}

/** "2026-03-02T13:00:00", without an offset, as the care hub writes it. */
const wallClock = (zone: string, at: number): string =>
  new Date(at + zoneOffsetMs(zone, at)).toISOString().slice(0, 19)
