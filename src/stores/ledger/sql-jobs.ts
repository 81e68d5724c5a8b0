import type { Job } from '../../core/life.ts'
import type { JobLedger } from '../../core/ports.ts'
import { bodyOf, jobRow } from './life-rows.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

export const sqlJobs = ({ db, write }: Session): JobLedger => ({
  put: (jobs) => write((db) => upsert(db, 'jobs', ['id'], jobs, jobRow)),

  async all({ site, status } = {}, limit) {
    if (status?.length === 0) return []
    const rows = await db()
      .selectFrom('jobs')
      .select('body')
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .$if(status !== undefined, (query) => query.where('status', 'in', status ?? []))
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
      .execute()
    return rows.map(bodyOf<Job>)
  },

  async get(id) {
    const row = await db().selectFrom('jobs').select('body').where('id', '=', id).executeTakeFirst()
    return row && bodyOf<Job>(row)
  },
})
