import type { Kysely, Transaction } from 'kysely'
import type { Database } from './schema.ts'

/** What the parts of the ledger share: one connection to read by, one queue of writes. */
export interface Session {
  /** Throws where the ledger is not open. */
  readonly db: () => Kysely<Database>
  /** One transaction; begins when the write called before it has ended, well or not, also on a pool of connections. */
  readonly write: <Result>(work: (db: Transaction<Database>) => Promise<Result>) => Promise<Result>
}
