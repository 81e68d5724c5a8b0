import { type Command, InvalidArgumentError } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import { findHub } from '../platform/folder.ts'
import { type Answer, queryLedger, queryReadings } from '../stores/query.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { jsonText } from './lab-text.ts'

interface SqlFlags extends ConfigFlags {
  readonly store?: 'ledger' | 'readings'
  readonly limit: number
  readonly json?: boolean
}

/** Adds `sql`: one query on the stores, which are only read. */
export function sqlCommand(program: Command): void {
  configFlags(program.command('sql <query>').description('ask the stores in SQL, reading only'))
    .option('--store <store>', 'ledger or readings (default: the one that has the tables)', parseStore)
    .option('--limit <n>', 'rows at most (default: 1000)', parseLimit, 1000)
    .option('--json', 'one JSON object instead of text')
    .action(async (query: string, flags: SqlFlags) => {
      const answer = await ask(configOf(flags).data, query, flags)
      process.stdout.write(flags.json ? jsonText(answer) : textOf(answer))
    })
}

/** Of a running hub only the ledger can be asked. Tells so in a sentence for the readings. */
async function ask(data: string, query: string, { store, limit }: SqlFlags): Promise<Answer> {
  if (!/^\s*(select|with|values|explain|show|describe)\b/i.test(query))
    throw new HomeostatError('data_invalid', {
      detail: 'Only queries are run, such as SELECT; nothing can be changed',
    })
  if (store !== 'readings') {
    try {
      return await queryLedger(data, query, limit)
    } catch (error) {
      const isOther =
        error instanceof Error && /no such (table|column|function)|syntax error/.test(error.message)
      if (store === 'ledger' || !isOther) throw error
    }
  }
  const hub = await findHub(data)
  if (hub)
    throw new HomeostatError('not_acceptable_state', {
      detail: `The readings belong to the hub at ${hub.url} while it runs: ask it (${hub.url}/docs), stop it, or query a restored backup`,
    })
  return queryReadings(data, query, limit)
}

const textOf = ({ columns, rows, isCut }: Answer): string => {
  const lines = [columns, ...rows].map((row) => row.map((value) => String(value ?? '')).join('\t'))
  if (isCut) lines.push(`... more than ${rows.length} rows; see --limit`)
  return `${lines.join('\n')}\n`
}

function parseStore(text: string): 'ledger' | 'readings' {
  if (text === 'ledger' || text === 'readings') return text
  throw new InvalidArgumentError('A store is ledger or readings.')
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (!/^\d+$/.test(text) || limit < 1 || limit > 1_000_000)
    throw new InvalidArgumentError('A limit is a number from 1 to 1000000.')
  return limit
}
