import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { examineReadingStore } from '../../../test/conformance/reading-store.ts'
import type { ReadingStore } from '../../core/ports.ts'
import { createDuckDbReadings } from './duckdb.ts'

const root = mkdtempSync(join(tmpdir(), 'readings-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const folders = new WeakMap<ReadingStore, string>()
function open(folder: string): ReadingStore {
  const store = createDuckDbReadings({ folder, memoryLimitMb: 128 })
  folders.set(store, folder)
  return store
}

examineReadingStore({
  name: 'duckdb',
  create: async () => open(mkdtempSync(join(root, 'store-'))),
  reopen: (closed) => open(folders.get(closed)!),
})
