import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { guessMapping } from '../src/sources/csv/guess.ts'
import { readHead } from '../src/sources/csv/head.ts'
import { importCsv } from '../src/sources/csv.ts'
import type { Report } from './report.ts'

const target = 150_000

/**
 * The parsing side of an import: from a file to batches of readings, handed to an emit that takes them at once.
 * The peer is csv-parse alone, streaming the same rows as arrays and doing nothing with them.
 */
export async function run(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-bench-'))
  try {
    for (const shape of ['long', 'wide', 'quoted'] as const) {
      const file = join(folder, `${shape}.csv`)
      await writeRows(file, shape, 400_000)
      const { readings, seconds, cpuSeconds } = await importing(file)
      const peer = await parsing(file)
      const rate = readings / seconds
      const ratio = peer.cpuSeconds / cpuSeconds
      const perCpu = Math.round(readings / cpuSeconds).toLocaleString('en-US')
      const note = `${perCpu} readings per second of processor time; ratio: processor time of csv-parse alone over ours`
      report({
        bench: 'import',
        name: `${shape}, readings`,
        value: rate,
        unit: 'readings/s',
        target,
        ratio,
        note,
      })
    }
    await reportMemory(folder, report)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const largeRows = 5_000_000
const largeTarget = 250_000

/** Rate, heap and buffers while a file of many times the block size goes through. */
async function reportMemory(folder: string, report: Report): Promise<void> {
  const file = join(folder, 'large.csv')
  await writeRows(file, 'long', largeRows)
  const before = process.memoryUsage().rss
  let most = before
  const { bytes, readings, seconds, cpuSeconds } = await importing(file, () => {
    most = Math.max(most, process.memoryUsage().rss)
  })
  report({
    bench: 'import',
    name: `${largeRows.toLocaleString('en-US')} rows`,
    value: readings / seconds,
    unit: 'rows/s',
    target: largeTarget,
    note: `${Math.round(readings / cpuSeconds).toLocaleString('en-US')} rows per second of processor time`,
  })
  const value = (most - before) / 1e6
  const note = `most resident memory above the start while ${Math.round(bytes / 1e6)} MB went through`
  report({ bench: 'import', name: 'memory', value, unit: 'MB', note })
}

async function importing(
  file: string,
  onProgress: () => void = () => undefined,
): Promise<{ readings: number; seconds: number; cpuSeconds: number; bytes: number }> {
  const head = await readHead(file)
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  const { counts } = await importCsv(
    {
      head,
      mapping: guessMapping(head, {}),
      emit: async (batch) => ({ accepted: batch.length, rejected: [] }),
      onBad: async () => undefined,
      onProgress,
      onCheckpoint: async () => undefined,
    },
    new AbortController().signal,
  )
  const seconds = (performance.now() - startedMs) / 1000
  const cpuSeconds = cpuSince(startedCpu)
  if (counts.badRows > 0) throw new Error(`${counts.badRows} bad rows in a benchmark`)
  return { readings: counts.readings, seconds, cpuSeconds, bytes: head.bytes }
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

async function parsing(file: string): Promise<{ cpuSeconds: number }> {
  const startedCpu = process.cpuUsage()
  const discard = new Writable({
    objectMode: true,
    write(_row, _encoding, done) {
      done()
    },
  })
  await pipeline(createReadStream(file), parse(), discard)
  return { cpuSeconds: cpuSince(startedCpu) }
}

const headers = {
  long: 'at,device,metric,value,unit',
  wide: 'timestamp,kitchen_temp_c,bath_temp_c,kitchen_humidity_percent,load_w',
  quoted: '"timestamp","kitchen_temp_c","bath_temp_c","kitchen_humidity_percent","load_w"',
}

async function writeRows(file: string, shape: keyof typeof headers, rows: number): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.write(`${headers[shape]}\n`)
    for (let from = 0; from < rows; from += 20_000) {
      const lines: string[] = []
      for (let n = from; n < Math.min(rows, from + 20_000); n++) lines.push(rowOf(shape, n))
      await handle.write(`${lines.join('\n')}\n`)
    }
  } finally {
    await handle.close()
  }
}

function rowOf(shape: keyof typeof headers, n: number): string {
  const at = new Date(1_704_067_200_000 + n * 10_000).toISOString()
  if (shape === 'long') return `${at},sensor_${n % 40},temperature,${(20 + (n % 97) / 10).toFixed(1)},degC`
  const local = at.slice(0, 19).replace('T', ' ')
  const cells = [
    local,
    (20 + (n % 97) / 10).toFixed(1),
    (22 + (n % 31) / 10).toFixed(1),
    40 + (n % 21),
    n % 3000,
  ]
  return shape === 'wide' ? cells.join(',') : cells.map((cell) => `"${cell}"`).join(',')
}
