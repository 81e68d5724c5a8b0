import type { ArtifactStore } from '../../core/ports.ts'
import { checkKey, checkPrefix } from './keys.ts'

/** Artifacts in this process's memory, for tests and trials: gone with the process. */
export function createMemoryArtifacts(): ArtifactStore {
  const kept = new Map<string, Uint8Array>()

  return {
    open: async () => {},
    async put(key, bytes) {
      checkKey(key)
      kept.set(key, bytes.slice())
    },
    async get(key) {
      checkKey(key)
      return kept.get(key)?.slice()
    },
    async list(prefix) {
      checkPrefix(prefix)
      return [...kept.keys()].filter((key) => key.startsWith(prefix)).sort()
    },
    async remove(keys) {
      keys.forEach(checkKey)
      for (const key of keys) kept.delete(key)
    },
    close: async () => {},
  }
}
