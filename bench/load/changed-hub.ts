import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Domain } from '../../src/domains/domain.ts'
import type * as Domains from '../../src/domains/index.ts'
import type * as Ledgers from '../../src/stores/ledger/index.ts'
import type * as ReadingStores from '../../src/stores/readings/index.ts'

/** How a benchmark changes the built hub. */
export interface Change {
  /** Every commit takes so much longer. */
  readonly commitDelayMs?: number
  /** Only these domains watch. */
  readonly domains?: readonly string[]
}

const variable = 'BENCH_HUB_CHANGE'

/** Options of `startHub` for a hub that is changed before its program is loaded. */
export const changed = (change: Change) => ({
  preload: [import.meta.resolve('tsx'), fileURLToPath(import.meta.url)],
  // as the program itself sets it; modules that are loaded before it fix the size
  env: { [variable]: JSON.stringify(change), UV_THREADPOOL_SIZE: '8' },
})

const built = async <Module>(path: string): Promise<Module> =>
  (await import(new URL(`../../dist/${path}`, import.meta.url).href)) as Module

async function apply({ commitDelayMs = 0, domains: kept }: Change): Promise<void> {
  if (kept) {
    const { domains } = await built<typeof Domains>('domains/index.js')
    const list = domains as Domain[]
    list.splice(0, list.length, ...list.filter(({ name }) => kept.includes(name)))
  }
  if (commitDelayMs > 0) {
    const { readingStores } = await built<typeof ReadingStores>('stores/readings/index.js')
    const { ledgers } = await built<typeof Ledgers>('stores/ledger/index.js')
    const { duckdb } = readingStores
    const { sqlite } = ledgers
    Object.assign(readingStores, {
      duckdb: (...options: Parameters<typeof duckdb>) => delayed(duckdb(...options), 'append', commitDelayMs),
    })
    Object.assign(ledgers, {
      sqlite: (...options: Parameters<typeof sqlite>) => delayed(sqlite(...options), 'record', commitDelayMs),
    })
  }
}

/** The store, of which one method takes `ms` longer. */
function delayed<Store extends object>(store: Store, name: keyof Store, ms: number): Store {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      if (property !== name) return value.bind(target)
      return async (...args: unknown[]) => {
        await sleep(ms)
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
}

const told = process.env[variable]
if (told !== undefined) await apply(JSON.parse(told) as Change)
