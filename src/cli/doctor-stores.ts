import { contentsOf, journalFolderOf } from '../compose.ts'
import { HomeostatError } from '../core/errors.ts'
import { readFileJournal } from '../stores/journal/file.ts'
import { storesIn } from '../stores/presence.ts'
import { queryLedger, queryReadings } from '../stores/query.ts'
import type { Finding } from './doctor.ts'

/** How far each store of the folder is, and by which schema; nothing where there is no store yet. Changes nothing. */
export async function checkStores(data: string): Promise<Finding[]> {
  const { ledger, readings, journal } = await storesIn(data)
  const { known } = contentsOf(data)
  if (!known && !ledger && !readings && !journal) return []
  const lost = (what: string): Finding => ({
    ...{ what, verdict: known ? 'fail' : 'warn' },
    detail: known ? 'is missing or empty, though the folder had data; restore a backup' : 'is not there yet',
  })
  return [
    ledger ? await told('ledger', () => ledgerFacts(data)) : lost('ledger'),
    readings ? await told('readings', () => readingsFacts(data)) : lost('readings'),
    journal ? await told('journal', () => journalFacts(data, known?.journal)) : lost('journal'),
  ]
}

async function told(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, verdict: 'ok', detail: await look() }
  } catch (error) {
    // while a hub runs it alone has the readings
    if (error instanceof HomeostatError && error.code === 'data_locked')
      return { what, verdict: 'ok', detail: 'in use by the hub, which has checked them at its start' }
    return { what, verdict: 'fail', detail: error instanceof Error ? error.message : String(error) }
  }
}

async function ledgerFacts(data: string): Promise<string> {
  const { rows } = await queryLedger(
    data,
    'select (select max(name) from homeostat_migration), (select position from journal)',
    1,
  )
  const [schema, position] = rows[0] ?? []
  return `schema ${schema}, up to turn ${position}`
}

async function readingsFacts(data: string): Promise<string> {
  const tables = 'SELECT count(*) FROM duckdb_tables()'
  const { rows } = await queryReadings(data, `SELECT (${tables}), (SELECT position FROM journal)`, 1)
  const [count, position] = rows[0] ?? []
  return `schema of ${count} tables, up to turn ${position}`
}

async function journalFacts(data: string, known: number | undefined): Promise<string> {
  const { span } = await readFileJournal({ folder: journalFolderOf(data) })
  const turns = span.last < span.first ? 'no turns' : `turns ${span.first} to ${span.last}`
  return known === undefined ? turns : `${turns}; acknowledged up to ${known}`
}
