import { createFileJournal } from './file.ts'
import { createMemoryJournal } from './memory.ts'
import { createThroughJournal } from './through.ts'

/** Every journal by its name. */
export const journals = {
  file: createFileJournal,
  memory: createMemoryJournal,
  through: createThroughJournal,
} as const
