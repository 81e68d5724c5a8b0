import { examineJournal } from '../../../test/conformance/journal.ts'
import { createMemoryJournal } from './memory.ts'

examineJournal({ name: 'memory', create: async () => createMemoryJournal() })
