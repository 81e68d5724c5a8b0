import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Domain } from '../../src/domains/domain.ts'
import type * as Domains from '../../src/domains/index.ts'
import type * as Journals from '../../src/stores/journal/index.ts'

/** How a benchmark changes the built hub. */
export interface Change {
  /** Every append to the journal takes so much longer: an acknowledgement waits for it. */
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
    const { journals } = await built<typeof Journals>('stores/journal/index.js')
    const { file } = journals
    Object.assign(journals, {
      file: (...options: Parameters<typeof file>) => delayed(file(...options), 'append', commitDelayMs),
    })
  }
}

/** The adapter, of which one method takes `ms` longer. */
function delayed<Adapter extends object>(adapter: Adapter, name: keyof Adapter, ms: number): Adapter {
  return new Proxy(adapter, {
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
