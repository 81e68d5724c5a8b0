import type { EventFunction, QueuedEvent, Trigger } from '../../core/life.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { compare } from './memory-upkeep.ts'

export function memorySchedule(): ScheduleLedger {
  const triggers = new Map<string, Trigger>()
  const functions = new Map<string, EventFunction>()
  const queues = new Map<string, QueuedEvent[]>()

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
      queues.delete(name)
      return functions.delete(name)
    },
    async putQueue(name, events) {
      queues.set(
        name,
        structuredClone([...events]).sort((a, b) => a.at - b.at),
      )
    },
    queues: async () => [...queues].sort(([a], [b]) => compare(a, b)).flatMap(([, events]) => events),
  }
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => compare(a.name, b.name)
