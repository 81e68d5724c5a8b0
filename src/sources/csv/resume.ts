import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { FileHead } from './head.ts'
import type { Mapping } from './mapping.ts'

const stateSchema = z.object({
  /** The same mapping gives the same fingerprint. */
  mapping: z.string(),
  place: z.object({ offset: z.number(), line: z.number() }),
  /** Bytes of the file of bad rows that belong to the part before the place. */
  badBytes: z.number(),
  counts: z.object({
    rows: z.number(),
    readings: z.number(),
    empty: z.number(),
    words: z.record(z.string(), z.number()).default({}),
    gaps: z.number(),
    summaries: z.number().default(0),
    badRows: z.number(),
    bad: z.record(z.string(), z.number()),
    devices: z.array(z.string()),
    from: z.number().nullable(),
    to: z.number().nullable(),
  }),
})

/** How far an import had come; everything before its place is acknowledged. */
export type ImportState = z.infer<typeof stateSchema>

/** The state file of a file: the same for the same path, size and beginning. */
export function stateFileOf(folder: string, head: FileHead): string {
  const identity = `${resolve(head.path)}\n${head.bytes}\n${head.sha256}`
  return join(folder, 'imports', `${createHash('sha256').update(identity).digest('hex')}.json`)
}

/** Says whether two mappings do the same. */
export const fingerprint = (mapping: Mapping, head: FileHead): string =>
  createHash('sha256')
    .update(JSON.stringify([mapping, head.delimiter, head.encoding]))
    .digest('hex')

/** The state, or undefined where there is none or it cannot be read: then the import starts over, which is harmless. */
export async function loadState(file: string): Promise<ImportState | undefined> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Durable when it resolves: written beside, synced, moved into place, folder synced. */
export async function saveState(file: string, state: ImportState): Promise<void> {
  const folder = dirname(file)
  await mkdir(folder, { recursive: true })
  const beside = `${file}.new`
  const handle = await open(beside, 'w')
  try {
    await handle.writeFile(JSON.stringify(state))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(beside, file)
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

export const removeState = (file: string): Promise<void> => rm(file, { force: true })
