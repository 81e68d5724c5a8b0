import { examineReadingStore } from '../../../test/conformance/reading-store.ts'
import { createMemoryReadings } from './memory.ts'

examineReadingStore({ name: 'memory', create: async () => createMemoryReadings() })
