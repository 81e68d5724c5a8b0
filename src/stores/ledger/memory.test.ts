import { testLedger } from '../../../test/conformance/ledger.ts'
import { createMemoryLedger } from './memory.ts'

testLedger('in memory', { create: async (options) => ({ ledger: createMemoryLedger(options) }) })
