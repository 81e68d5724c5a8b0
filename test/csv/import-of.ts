import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { parseReading } from '../../src/core/reading.ts'
import { guessMapping } from '../../src/sources/csv/guess.ts'
import type { MappingFlags } from '../../src/sources/csv/guess-context.ts'
import { type HeadOptions, readHead } from '../../src/sources/csv/head.ts'
import { importCsv } from '../../src/sources/csv.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-cases-'))
})
afterAll(() => rm(folder, { recursive: true }))

const context = { now: Date.UTC(2030, 0, 1), defaultSite: 'home', maxFutureMs: 0, dayStart: () => 0 }

/** Every reading as `time device metric value unit`, in canonical units, and what was counted. */
export async function importOf(
  content: string | Buffer,
  flags: MappingFlags & HeadOptions = {},
  name = 'export.csv',
) {
  const path = join(folder, name)
  await writeFile(path, content)
  const head = await readHead(path, flags)
  const mapping = guessMapping(head, flags)
  const lines: string[] = []
  const values: number[] = []
  const metrics = new Set<string>()
  const { counts } = await importCsv(
    {
      head,
      mapping,
      emit: async (batch) => {
        const rejected = batch.flatMap((raw, index) => {
          const parsed = parseReading(raw, context)
          if (!parsed.ok) return [{ index, problem: parsed.problem }]
          const { device, metric, value, unit, at } = parsed.reading
          const time = new Date(at).toISOString().replace(':00.000Z', 'Z')
          lines.push(`${time} ${device} ${metric} ${+value.toFixed(6)} ${unit}`)
          values.push(value)
          metrics.add(metric)
          return []
        })
        return { accepted: batch.length - rejected.length, rejected }
      },
      onBad: async () => undefined,
      onProgress: () => undefined,
      onCheckpoint: async () => undefined,
    },
    new AbortController().signal,
  )
  return { head, mapping, lines, values, metrics: [...metrics], counts }
}
