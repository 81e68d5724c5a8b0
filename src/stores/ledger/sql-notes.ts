import type { ForgottenSpan, Info } from '../../core/life.ts'
import type { NoteLedger } from '../../core/ports.ts'
import { shown } from './columns.ts'
import { bodyOf, forgottenRow, infoRow } from './life-rows.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

export const sqlNotes = ({ db, write }: Session): NoteLedger => ({
  putInfos: (infos) => write((db) => upsert(db, 'infos', ['id'], infos, infoRow)),

  async infos({ site, from, own = false }, limit) {
    const rows = await db()
      .selectFrom('infos')
      .select('body')
      .$if(own, (query) => query.where('site', 'is not', null))
      .$if(site !== undefined, (query) =>
        query.where((column) => column.or([column('site', '=', site ?? ''), column('site', 'is', null)])),
      )
      .$if(from !== undefined, (query) => query.where('at', '>=', from ?? 0))
      .orderBy('at', 'desc')
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(bodyOf<Info>)
  },

  removeInfos: (at) =>
    write(async (db) => {
      const gone = await db.deleteFrom('infos').where('at', '=', at).executeTakeFirstOrThrow()
      return Number(gone.numDeletedRows)
    }),

  putForgotten: (spans) => write((db) => upsert(db, 'forgotten', ['id'], spans, forgottenRow)),

  async forgotten(site) {
    const rows = await db()
      .selectFrom('forgotten')
      .select('body')
      .where(shown('device'))
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('site')
      .orderBy('device')
      .orderBy('metric')
      .orderBy('from')
      .orderBy('id')
      .execute()
    return rows.map(bodyOf<ForgottenSpan>)
  },

  removeForgotten: (id) =>
    write(async (db) => {
      const gone = await db.deleteFrom('forgotten').where('id', '=', id).executeTakeFirstOrThrow()
      return gone.numDeletedRows > 0n
    }),
})
