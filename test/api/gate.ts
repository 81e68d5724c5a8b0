import type { ReadingStore } from '../../src/core/ports.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'

/** Readings in memory behind a gate: while it is shut, commits wait. It begins open. */
export function createGatedReadings(): {
  readonly readings: ReadingStore
  shut(): void
  open(): void
} {
  const memory = createMemoryReadings()
  let passage = Promise.resolve()
  let open = (): void => undefined
  return {
    readings: {
      ...memory,
      async append(rows) {
        await passage
        await memory.append(rows)
      },
    },
    shut() {
      passage = new Promise((resolve) => {
        open = resolve
      })
    },
    open: () => open(),
  }
}
