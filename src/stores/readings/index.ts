import { createDuckDbReadings } from './duckdb.ts'
import { createMemoryReadings } from './memory.ts'

/** Every store of readings by its name in the configuration. */
export const readingStores = {
  duckdb: createDuckDbReadings,
  memory: createMemoryReadings,
} as const
