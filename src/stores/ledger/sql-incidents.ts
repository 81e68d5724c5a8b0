import type { ExpressionBuilder, Transaction } from 'kysely'
import { endedAt, type Incident, type MaintenanceWindow } from '../../core/incident.ts'
import type { IncidentLedger } from '../../core/incident-ledger.ts'
import { batches } from './batches.ts'
import { shown } from './columns.ts'
import { bodyOf } from './life-rows.ts'
import type { Database, IncidentRow, MaintenanceWindowRow } from './schema.ts'
import type { Session } from './session.ts'
import { excluded, upsert } from './upsert.ts'

export const sqlIncidents = ({ db, write }: Session): IncidentLedger => ({
  put: (incidents) => write((db) => putIncidentRows(db, incidents)),

  async get(id) {
    const row = await db()
      .selectFrom('incidents')
      .select('body')
      .where('id', '=', id)
      .where(shown('subject'))
      .executeTakeFirst()
    return row && bodyOf<Incident>(row)
  },

  async list({ sites, statuses, level, domain, after }, limit) {
    const rows = await db()
      .selectFrom('incidents')
      .select('body')
      .where(shown('subject'))
      .$if(sites !== undefined, (query) => query.where('site', 'in', sites ?? []))
      .$if(statuses !== undefined, (query) => query.where('status', 'in', statuses ?? []))
      .$if(level !== undefined, (query) => query.where('level', '=', level!))
      .$if(domain !== undefined, (query) => query.where('domain', '=', domain!))
      .$if(after !== undefined, (query) => query.where((row) => isAfter(row, after!)))
      .orderBy('since', 'desc')
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(bodyOf<Incident>)
  },

  async recent(endedFrom) {
    const rows = await db()
      .selectFrom('incidents')
      .select('body')
      .where(shown('subject'))
      .where((row) => row.or([row('ended_at', 'is', null), row('ended_at', '>=', endedFrom)]))
      .execute()
    return rows.map(bodyOf<Incident>)
  },

  putWindow: (window) => write((db) => upsert(db, 'maintenance_windows', ['id'], [window], windowRow)),

  async windows(sites) {
    const rows = await db()
      .selectFrom('maintenance_windows')
      .select('body')
      .$if(sites !== undefined, (query) => query.where('site', 'in', sites ?? []))
      .orderBy('from')
      .orderBy('id')
      .execute()
    return rows.map(bodyOf<MaintenanceWindow>)
  },

  removeWindow: (id) =>
    write(async (db) => {
      const gone = await db.deleteFrom('maintenance_windows').where('id', '=', id).executeTakeFirstOrThrow()
      return gone.numDeletedRows > 0n
    }),
})

/** For a transaction that records more than incidents. A row with a higher revision stays as it is. */
export async function putIncidentRows(
  db: Transaction<Database>,
  incidents: readonly Incident[],
): Promise<void> {
  for await (const batch of batches(incidents, ({ id }) => id)) {
    await db
      .insertInto('incidents')
      .values(batch.map(incidentRow))
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet(excluded(['status', 'level', 'ended_at', 'revision', 'body']))
          .where((row) => row('excluded.revision', '>=', row.ref('incidents.revision'))),
      )
      .execute()
  }
}

const incidentRow = (incident: Incident): IncidentRow => ({
  ...incident.target,
  id: incident.id,
  status: incident.status,
  level: incident.level,
  since: incident.since,
  ended_at: endedAt(incident) ?? null,
  revision: incident.revision,
  body: JSON.stringify(incident),
})

const windowRow = (window: MaintenanceWindow): MaintenanceWindowRow => ({
  id: window.id,
  site: window.site,
  from: window.from,
  to: window.to,
  body: JSON.stringify(window),
})

/** Strictly after the place in the order (since descending, id). */
const isAfter = (
  row: ExpressionBuilder<Database, 'incidents'>,
  { since, id }: Pick<Incident, 'since' | 'id'>,
) => row.or([row('since', '<', since), row.and([row('since', '=', since), row('id', '>', id)])])
