import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PresentStores } from '../core/contents.ts'

/** Which stores have their files in a data folder. A file without content counts as lost. */
export async function storesIn(folder: string): Promise<PresentStores> {
  const segments = await segmentsIn(join(folder, 'journal'))
  return {
    readings: await hasContent(join(folder, 'readings.duckdb')),
    ledger: await hasContent(join(folder, 'ledger.db')),
    journal: segments.length > 0,
    journalFirst: segments[0],
  }
}

/** Positions in the names of the segments, lowest first. */
async function segmentsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.endsWith('.journal'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
}

const hasContent = (file: string): Promise<boolean> =>
  stat(file).then(
    ({ size }) => size > 0,
    () => false,
  )
