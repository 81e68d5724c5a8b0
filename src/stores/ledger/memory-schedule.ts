import type { EventFunction, QueuedEvent, Trigger } from '../../core/life.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { compare } from './memory-upkeep.ts'

export function memorySchedule(): ScheduleLedger {
  const triggers = new Map<string, Trigger>()
  const functions = new Map<string, EventFunction>()
  const queue = new Map<number, QueuedEvent>()

  return {
    async putTriggers(put) {
      for (const trigger of structuredClone(put)) triggers.set(trigger.name, trigger)
    },
    triggers: async () => [...triggers.values()].sort(byName),
    removeTrigger: async (name) => triggers.delete(name),
    async putFunctions(put) {
      for (const one of structuredClone(put)) functions.set(one.name, one)
    },
    functions: async () => [...functions.values()].sort(byName),
    async removeFunction(name) {
      for (const event of [...queue.values()]) if (event.function === name) queue.delete(event.id)
      return functions.delete(name)
    },
    async changeQueue(added, removedIds) {
      for (const event of structuredClone(added)) queue.set(event.id, event)
      for (const id of removedIds) queue.delete(id)
    },
    queuedEvents: async () => [...queue.values()].sort((a, b) => a.id - b.id),
  }
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => compare(a.name, b.name)
