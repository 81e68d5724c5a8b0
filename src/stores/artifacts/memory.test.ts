import { examineArtifactStore } from '../../../test/conformance/artifact-store.ts'
import { createMemoryArtifacts } from './memory.ts'

examineArtifactStore({ name: 'memory', manyKeys: 1_100, create: async () => createMemoryArtifacts() })
