import { createMemoryLedger } from './memory.ts'
import { createSqliteLedger } from './sqlite.ts'

/** Every ledger there is, by the name that the configuration uses. */
export const ledgers = { sqlite: createSqliteLedger, memory: createMemoryLedger }
