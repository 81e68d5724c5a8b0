import type { EventFunction, Trigger } from '../../core/life.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { batches } from './batches.ts'
import { bodyOf, namedRow, queuedEventOf, queuedEventRow } from './life-rows.ts'
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
        await db.deleteFrom('event_queue').where('function', '=', name).execute()
        const gone = await db.deleteFrom('event_functions').where('name', '=', name).executeTakeFirstOrThrow()
        return gone.numDeletedRows > 0n
      }),

    changeQueue: (added, removedIds) =>
      write(async (db) => {
        await upsert(db, 'event_queue', ['id'], added, queuedEventRow)
        for await (const ids of batches(removedIds)) {
          await db.deleteFrom('event_queue').where('id', 'in', ids).execute()
        }
      }),

    async queuedEvents() {
      const rows = await db().selectFrom('event_queue').select(['id', 'body']).orderBy('id').execute()
      return rows.map(queuedEventOf)
    },
  }
}
