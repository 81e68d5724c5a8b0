import type { ModelEntry, ModelEvent } from '../../core/life.ts'
import type { ModelLedger } from '../../core/ports.ts'
import type { Target } from '../../core/target.ts'
import { batches } from './batches.ts'
import { shown } from './columns.ts'
import { bodyOf, modelEventRow, modelOf, modelRow, targetOf } from './life-rows.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

export function sqlModels({ db, write }: Session): ModelLedger {
  async function entries(of: Partial<Target>): Promise<ModelEntry[]> {
    const rows = await db()
      .selectFrom('models')
      .selectAll()
      .where(shown('subject'))
      .where((column) => column.and(of))
      .orderBy('trained_at', 'desc')
      .orderBy('site')
      .orderBy('domain')
      .orderBy('subject')
      .orderBy('version')
      .execute()
    return rows.map(modelOf)
  }

  return {
    put: (put, events) =>
      write(async (db) => {
        await upsert(db, 'models', ['site', 'domain', 'subject', 'version'], put, modelRow)
        for await (const batch of batches(events)) {
          await db.insertInto('model_events').values(batch.map(modelEventRow)).execute()
        }
      }),

    all: (site) => entries(site === undefined ? {} : { site }),

    of: (target) => entries(targetOf(target)),

    remove: (versions) =>
      write(async (db) => {
        for (const { target, version } of versions) {
          await db
            .deleteFrom('models')
            .where((column) => column.and({ ...targetOf(target), version }))
            .execute()
        }
      }),

    async events({ site, target }, limit) {
      const rows = await db()
        .selectFrom('model_events')
        .select('body')
        .where(shown('subject'))
        .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
        .$if(target !== undefined, (query) =>
          query.where((column) => column.and(target ? targetOf(target) : {})),
        )
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(bodyOf<ModelEvent>)
    },
  }
}
