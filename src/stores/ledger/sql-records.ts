import type { Transaction } from 'kysely'
import type { DomainRecord, RecordKey, RecordLedger } from '../../core/record.ts'
import type { Database, RecordRow } from './schema.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

/** Thrown to roll back a transaction. */
class LimitReached extends Error {}

export const sqlRecords = ({ db, write }: Session): RecordLedger => ({
  async put(records, rowsMax) {
    try {
      await write(async (db) => {
        await upsert(db, 'records', ['site', 'domain', 'kind', 'key'], records, recordRow)
        if (await isAbove(db, records, rowsMax)) throw new LimitReached()
      })
      return true
    } catch (error) {
      if (error instanceof LimitReached) return false
      throw error
    }
  },

  async get(key) {
    const row = await db()
      .selectFrom('records')
      .selectAll()
      .where((column) => column.and(keyOf(key)))
      .executeTakeFirst()
    return row && recordOf(row)
  },

  async list({ domain, kind, sites, after }, limit) {
    const rows = await db()
      .selectFrom('records')
      .selectAll()
      .where('domain', '=', domain)
      .where('kind', '=', kind)
      .$if(sites !== undefined, (query) => query.where('site', 'in', sites ?? []))
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('site', 'key'), '>', tuple(after?.site ?? '', after?.key ?? '')),
        ),
      )
      .orderBy('site')
      .orderBy('key')
      .limit(limit)
      .execute()
    return rows.map(recordOf)
  },

  remove: (key) =>
    write(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom('records')
        .where((column) => column.and(keyOf(key)))
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    }),
})

/** Whether a domain of these records now has more than `rowsMax` records on their site. */
async function isAbove(
  db: Transaction<Database>,
  records: readonly DomainRecord[],
  rowsMax: number,
): Promise<boolean> {
  const groups = new Map(
    records.map(({ site, domain }) => [`${site}\u001f${domain}`, { site, domain }] as const),
  )
  for (const group of groups.values()) {
    const { rows } = await db
      .selectFrom('records')
      .select((column) => column.fn.countAll<number>().as('rows'))
      .where((column) => column.and(group))
      .executeTakeFirstOrThrow()
    if (Number(rows) > rowsMax) return true
  }
  return false
}

const keyOf = ({ site, domain, kind, key }: RecordKey): RecordKey => ({ site, domain, kind, key })

const recordRow = ({ body, ...rest }: DomainRecord): RecordRow => ({ ...rest, body: JSON.stringify(body) })

const recordOf = ({ body, ...rest }: RecordRow): DomainRecord => ({
  ...rest,
  body: JSON.parse(body) as unknown,
})
