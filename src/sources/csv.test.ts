import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HomeostatError, problem } from '../core/errors.ts'
import type { Emit } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import { guessMapping } from './csv/guess.ts'
import type { MappingFlags } from './csv/guess-context.ts'
import { readHead } from './csv/head.ts'
import { type BadRow, type Checkpoint, type ImportCounts, importCsv } from './csv.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-import-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface Run {
  readings: RawReading[]
  batches: number[]
  bad: BadRow[]
  checkpoints: Checkpoint[]
  counts: ImportCounts
  finished: boolean
}

/** Imports a text; `answer` sees each batch before it is acknowledged. */
async function run(
  text: string,
  options: { flags?: MappingFlags; from?: Checkpoint; answer?: Emit; signal?: AbortSignal } = {},
): Promise<Run> {
  const file = join(folder, 'meter.csv')
  await writeFile(file, text)
  const head = await readHead(file)
  const readings: RawReading[] = []
  const batches: number[] = []
  const bad: BadRow[] = []
  const checkpoints: Checkpoint[] = []
  const { counts, finished } = await importCsv(
    {
      head,
      mapping: guessMapping(head, options.flags ?? {}),
      ...(options.from ? { from: options.from } : {}),
      emit: async (batch) => {
        const receipt = await (options.answer?.(batch) ?? { accepted: batch.length, rejected: [] })
        batches.push(batch.length)
        readings.push(...batch)
        return receipt
      },
      onBad: async (rows) => void bad.push(...rows),
      onProgress: () => undefined,
      onCheckpoint: async (checkpoint) => void checkpoints.push(checkpoint),
    },
    options.signal ?? new AbortController().signal,
  )
  return { readings, batches, bad, checkpoints, counts, finished }
}

/** Many rows of two columns; minutes from 2024 on. */
const many = (rows: number): string => {
  const lines = Array.from({ length: rows }, (_, n) => `${1_704_067_200 + n * 60},${n % 50},${n % 7}`)
  return `timestamp,load_w,pv_w\n${lines.join('\n')}\n`
}

describe('importCsv', () => {
  it('hands over what the file says, unit and time included', async () => {
    const { readings, counts } = await run('timestamp,load_w,temp_c\n2024-01-01 00:00:00, 7.02 ,-3e1\n', {
      flags: { site: 'cabin' },
    })
    expect(readings).toEqual([
      {
        source: 'csv',
        site: 'cabin',
        device: 'meter',
        metric: 'power',
        value: 7.02,
        unit: 'W',
        at: 1_704_067_200_000,
      },
      {
        source: 'csv',
        site: 'cabin',
        device: 'meter',
        metric: 'temperature',
        value: -30,
        unit: 'degC',
        at: 1_704_067_200_000,
      },
    ])
    expect(counts).toMatchObject({ rows: 1, readings: 2, devices: ['meter'], from: 1_704_067_200_000 })
  })

  it('keeps batches at 5,000 readings and marks a place after each block', async () => {
    const { batches, counts, checkpoints, readings } = await run(many(60_000))
    expect(Math.max(...batches)).toBe(5000)
    expect(readings.length).toBe(120_000)
    expect(counts).toMatchObject({ rows: 60_000, readings: 120_000, badRows: 0, devices: ['load', 'pv'] })
    expect(checkpoints.length).toBeGreaterThan(1)
    expect(checkpoints.at(-1)?.place.line).toBe(60_002)
  })

  it('goes on from any checkpoint as if it had never stopped', async () => {
    const text = many(60_000).replace(',49,', ',oops,')
    const whole = await run(text)
    const from = whole.checkpoints[0]!
    const rest = await run(text, { from })
    expect(rest.counts).toEqual(whole.counts)
    expect(rest.readings).toEqual(whole.readings.slice(from.counts.readings))
  })

  it('reads decimal commas with points between thousands', async () => {
    const { readings } = await run('zeit;leistung_w\n01.02.2024 00:00;1.234,5\n02.02.2024 00:00;7,25\n')
    expect(readings.map(({ value }) => value)).toEqual([1234.5, 7.25])
  })

  it('reads day and clock from two columns', async () => {
    const { readings } = await run('Date;Time;load_w\n16/12/2006;17:24:00;?\n16/12/2006; 17:25:00;7\n')
    expect(readings).toMatchObject([{ at: Date.UTC(2006, 11, 16, 17, 25), value: 7 }])
  })

  it('leaves empty cells and gap rows out, and counts them', async () => {
    const text =
      'timestamp,load_w,status\n2024-01-01,1,ok\n2024-01-02,NaN,ok\n2024-01-03,,ok\n2024-01-04,0,dead\n'
    const { counts, bad } = await run(text, { flags: { gapWhen: ['status=dead'] } })
    expect(counts).toMatchObject({ rows: 4, readings: 1, empty: 2, gaps: 1, badRows: 0 })
    expect(bad).toEqual([])
  })

  it('reports each bad row by its line and takes the rest, also of the same row', async () => {
    const good = Array.from({ length: 30 }, (_, n) => `2024-01-01 00:00:${10 + n},1,2`).join('\n')
    const text = `timestamp,load_w,pv_w\n2024-01-01,x,5\n\nnever,1,2\n2024-01-02,1\n2024-01-03,"1,2\n${good}\n`
    const { bad, counts } = await run(text)
    expect(bad.map(({ line, code, text: row }) => [line, code, row])).toEqual([
      [2, 'value_not_number', '2024-01-01,x,5'],
      [4, 'at_invalid', 'never,1,2'],
      [5, 'data_invalid', '2024-01-02,1'],
      [6, 'data_invalid', '2024-01-03,"1,2'],
    ])
    expect(bad[0]?.message).toContain('load_w')
    expect(counts).toMatchObject({
      rows: 34,
      readings: 61,
      badRows: 4,
      bad: { value_not_number: 1, at_invalid: 1, data_invalid: 2 },
    })
  })

  it('counts what the hub refuses as bad, by the line that it came from', async () => {
    const { bad, counts } = await run(many(10), {
      answer: async (batch) => {
        const rejected = batch.flatMap(({ device, value }, index) =>
          device === 'load' && value === 3 ? [{ index, problem: problem('series_limit', { limit: 1 }) }] : [],
        )
        return { accepted: batch.length - rejected.length, rejected }
      },
    })
    expect(bad.map(({ line, code }) => [line, code])).toEqual([[5, 'series_limit']])
    expect(counts).toMatchObject({ readings: 19, badRows: 1 })
  })

  it('never has two batches on their way at once', async () => {
    let under = 0
    let most = 0
    await run(many(20_000), {
      answer: async (batch) => {
        most = Math.max(most, ++under)
        await new Promise((resolve) => setImmediate(resolve))
        under--
        return { accepted: batch.length, rejected: [] }
      },
    })
    expect(most).toBe(1)
  })

  it('waits for a hub that is overloaded', async () => {
    let calls = 0
    const { counts } = await run(many(10), {
      answer: async (batch) => {
        if (++calls === 1) throw new HomeostatError('overloaded', { limit: 1 })
        return { accepted: batch.length, rejected: [] }
      },
    })
    expect(calls).toBe(2)
    expect(counts.readings).toBe(20)
  })

  it('gives up with the hub’s error when the disk fails, and sends nothing more', async () => {
    let calls = 0
    const attempt = run(many(60_000), {
      answer: async (batch) => {
        if (++calls === 3) throw new HomeostatError('store_failed', { detail: 'full' })
        return { accepted: batch.length, rejected: [] }
      },
    })
    await expect(attempt).rejects.toMatchObject({ code: 'store_failed' })
    expect(calls).toBe(3)
  })

  it('stops between batches when it is told to', async () => {
    const controller = new AbortController()
    let calls = 0
    const { finished, counts } = await run(many(60_000), {
      signal: controller.signal,
      answer: async (batch) => {
        if (++calls === 2) controller.abort()
        return { accepted: batch.length, rejected: [] }
      },
    })
    expect(finished).toBe(false)
    expect(counts.readings).toBeLessThan(20_000)
  })

  it('turns the records of event logs into motion with its room', async () => {
    const text = `sensor,bucket,timestamp,value,type
['kitchen_PIR'],1_5_9,1730376846000.0,corridor,sensor
['livingroom_magnetic_switch'],1_4_11,1730376847000.0,livingroomdoor,sensor
['mystery'],1_4_11,1730376848000.0,kitchen,sensor
`
    const { readings, bad } = await run(text)
    expect(readings).toEqual([
      {
        source: 'csv',
        device: 'kitchen_PIR',
        metric: 'motion',
        value: 1,
        unit: 'state',
        at: 1_730_376_846_000,
        room: 'corridor',
      },
      {
        source: 'csv',
        device: 'livingroom_magnetic_switch',
        metric: 'door',
        value: 1,
        unit: 'state',
        at: 1_730_376_847_000,
      },
    ])
    expect(bad.map(({ line }) => line)).toEqual([4])
  })
})
