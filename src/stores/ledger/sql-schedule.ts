import type { EventFunction, QueuedEvent, Trigger } from '../../core/life.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { bodyOf, namedRow, queuedEventRow } from './life-rows.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

export function sqlSchedule({ db, write }: Session): ScheduleLedger {
  async function named<Noun>(table: 'triggers' | 'event_functions'): Promise<Noun[]> {
    const rows = await db().selectFrom(table).select('body').orderBy('name').execute()
    return rows.map(bodyOf<Noun>)
  }

  return {
    putTriggers: (triggers) => write((db) => upsert(db, 'triggers', ['name'], triggers, namedRow)),

    triggers: () => named<Trigger>('triggers'),

    removeTrigger: (name) =>
      write(async (db) => {
        const gone = await db.deleteFrom('triggers').where('name', '=', name).executeTakeFirstOrThrow()
        return gone.numDeletedRows > 0n
      }),

    putFunctions: (functions) => write((db) => upsert(db, 'event_functions', ['name'], functions, namedRow)),

    functions: () => named<EventFunction>('event_functions'),

    removeFunction: (name) =>
      write(async (db) => {
        await db.deleteFrom('queued_events').where('name', '=', name).execute()
        const gone = await db.deleteFrom('event_functions').where('name', '=', name).executeTakeFirstOrThrow()
        return gone.numDeletedRows > 0n
      }),

    putQueue: (name, events) =>
      write(async (db) => {
        await db.deleteFrom('queued_events').where('name', '=', name).execute()
        const oldestFirst = events.toSorted((a, b) => a.at - b.at)
        await upsert(db, 'queued_events', ['name', 'place'], oldestFirst, queuedEventRow(name))
      }),

    async queues() {
      const rows = await db()
        .selectFrom('queued_events')
        .select('body')
        .orderBy('name')
        .orderBy('place')
        .execute()
      return rows.map(bodyOf<QueuedEvent>)
    },
  }
}
