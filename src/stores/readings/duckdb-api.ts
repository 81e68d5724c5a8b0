import { createRequire } from 'node:module'

/**
 * DuckDB's package, 180 CommonJS files behind one: an `import` reads each of them twice, the first time for the names
 * that it exports, and takes twice as long as `require`.
 */
export const duckdb: typeof import('@duckdb/node-api') = createRequire(import.meta.url)('@duckdb/node-api')
