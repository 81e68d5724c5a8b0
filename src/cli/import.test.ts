import { access, appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import type { Emit } from '../core/ports.ts'
import { importFile, importFlags } from './import.ts'
import type { ImportOptions, ImportSummary } from './import-options.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-cli-'))
  file = join(folder, 'meter.csv')
})
afterEach(() => rm(folder, { recursive: true }))

/** A hub in miniature: twice is once. */
function hub(): { emit: Emit; taken: Map<string, unknown>; calls: number } {
  const taken = new Map<string, unknown>()
  const self = {
    taken,
    calls: 0,
    emit: (async (batch) => {
      self.calls++
      for (const { device, metric, at, value } of batch) taken.set(`${device} ${metric} ${at}`, value)
      return { accepted: batch.length, rejected: [] }
    }) satisfies Emit,
  }
  return self
}

async function run(
  options: Partial<ImportOptions>,
  emit: Emit,
  signal = new AbortController().signal,
  isTTY = false,
): Promise<{ summary: ImportSummary; text: string }> {
  let text = ''
  const write = (part: string): void => {
    text += part
  }
  const summary = await importFile({ file, stateFolder: folder, ...options }, emit, { write, isTTY }, signal)
  return { summary, text }
}

const many = (rows: number): string => {
  const lines = Array.from(
    { length: rows },
    (_, n) => `${1_704_067_200 + n * 60},${n % 5000 === 9 ? 'x' : n % 50}`,
  )
  return `timestamp,load_w\n${lines.join('\n')}\n`
}
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
const states = () => readdir(join(folder, 'imports')).catch(() => [])

describe('importFile', () => {
  it('shows the mapping first, then the result', async () => {
    await writeFile(file, 'timestamp,load_w,Light\n2024-01-01 00:00:00,5,400\n')
    const { emit, taken } = hub()
    const { summary, text } = await run({}, emit)
    expect(summary).toMatchObject({ readings: 1, exitCode: 0, finished: true, devices: ['meter'] })
    expect(taken.get('meter power 1704067200000')).toBe(5)
    expect(text).toMatch(/COLUMN +DEVICE +METRIC +UNIT +HOW\nload_w +meter +power +W /)
    expect(text).toMatch(/Light +unit not stated +--column "Light=meter\/illuminance:lx"/)
    expect(text).toContain('taken as UTC (--zone ZONE if not)')
    expect(text.indexOf('COLUMN')).toBeLessThan(text.indexOf('Imported: 1 rows, 1 readings'))
    expect(await states()).toEqual([])
  })

  it('writes bad rows by line number to a file that reads back as CSV', async () => {
    await writeFile(
      file,
      'timestamp,load_w\n2024-01-01 00:00:00,5\n2024-01-01 00:01:00,"a ""b"""\n2024-01-01 00:02:00,7\n',
    )
    const { summary, text } = await run({}, hub().emit)
    expect(summary).toMatchObject({ exitCode: 1, badRows: 1, readings: 2, bad: { value_not_number: 1 } })
    expect(text).toContain(`Bad rows: 1 (value_not_number 1), by line number in ${file}.bad.csv`)
    const lines = (await readFile(`${file}.bad.csv`, 'utf8')).split('\n')
    expect(lines[0]).toBe('line,code,message,row')
    expect(lines[1]).toMatch(/^3,value_not_number,"load_w: .*","2024-01-01 00:01:00,""a """"b"""""""$/)
  })

  it('ends with success in spite of bad rows where it is told to skip them, and keeps them', async () => {
    await writeFile(file, 'timestamp,load_w\n2024-01-01,5\n2024-01-02,x\n2024-01-03,6\n')
    const { summary, text } = await run({ skipBadRows: true }, hub().emit)
    expect(summary).toMatchObject({ exitCode: 0, badRows: 1, readings: 2 })
    expect(text).toContain(`Bad rows: 1 (value_not_number 1), by line number in ${file}.bad.csv`)
    expect(await readFile(`${file}.bad.csv`, 'utf8')).toContain('\n3,value_not_number,')
  })

  it('takes times without an offset in the zone of the site, and names it', async () => {
    await writeFile(file, 'timestamp,load_w\n2024-01-01 00:00:00,5\n')
    const { emit, taken } = hub()
    const why = 'the zone of the site "home"'
    const { text } = await run({ siteZone: { zone: 'Europe/Athens', why } }, emit)
    expect([...taken.keys()]).toEqual(['meter power 1704060000000'])
    expect(text).toContain(`taken as Europe/Athens (${why}; --zone ZONE if not)`)
  })

  it('lists what each series of a shared column is, and counts what is left out', async () => {
    await writeFile(
      file,
      'entity_id,state,last_changed\nsensor.a_temperature,20,2024-01-01T00:00:00Z\nsensor.a_temperature,unavailable,2024-01-01T00:01:00Z\nweather.home,sunny,2024-01-01T00:01:00Z\n',
    )
    const { text } = await run({}, hub().emit)
    expect(text).toMatch(
      /SERIES +DEVICE +METRIC +UNIT +HOW\nsensor\.a_temperature +sensor\.a_temperature +temperature +degC/,
    )
    expect(text).toMatch(/weather\.home +text, not a number\n/)
    expect(text).toContain('Left out: 1 rows (rows of series that are skipped)')
    expect(text).toContain('Cells without a value (empty, unavailable, unknown, NaN): 1')
  })

  it('imports nothing in a dry run, but checks as the hub would', async () => {
    await writeFile(
      file,
      'at,device,metric,value,unit\n2024-01-01T00:00:00Z,t1,temperature,20,degC\n2024-01-01T00:01:00Z,t1,temperature,20,kg\n',
    )
    const miniature = hub()
    const { summary, text } = await run({ dryRun: true }, miniature.emit)
    expect(miniature.calls).toBe(0)
    expect(summary).toMatchObject({ readings: 1, bad: { unit_unknown: 1 }, exitCode: 1, dryRun: true })
    expect(text).toContain('Checked, nothing imported')
  })

  it('goes on where it was stopped, and ends with the same readings, counts and bad rows', async () => {
    await writeFile(file, many(100_000))
    const straight = hub()
    const whole = await run({ bad: join(folder, 'whole.csv') }, straight.emit)
    const controller = new AbortController()
    const halting = hub()
    const emit: Emit = async (batch) => {
      if (halting.calls === 12) controller.abort()
      return halting.emit(batch)
    }
    const first = await run({}, emit, controller.signal)
    expect(first.summary).toMatchObject({ finished: false, exitCode: 130 })
    expect(first.text).toMatch(/Everything before line \d+ is kept\. Run the same command again/)
    expect(await states()).toHaveLength(1)
    // as if more had been written before a crash than the state knows of
    await appendFile(`${file}.bad.csv`, 'half a row'.repeat(1000))
    const before = halting.calls
    const second = await run({}, halting.emit)
    expect(second.text).toMatch(/Going on at line \d+ \(\d+ %\)/)
    expect(second.summary.resumedAtLine).toBeGreaterThan(2)
    expect(halting.calls - before).toBeLessThan(straight.calls)
    expect(halting.taken).toEqual(straight.taken)
    expect(second.summary).toMatchObject({
      rows: 100_000,
      readings: whole.summary.readings,
      badRows: 20,
      exitCode: 1,
    })
    expect(await readFile(`${file}.bad.csv`, 'utf8')).toBe(await readFile(join(folder, 'whole.csv'), 'utf8'))
    expect(await states()).toEqual([])
  })

  it('keeps its place when the hub fails, and starts over with --restart or another mapping', async () => {
    await writeFile(file, many(100_000))
    const failing = (): Emit => {
      let calls = 0
      return async (batch) => {
        if (++calls === 10) throw new HomeostatError('store_failed', { detail: 'disk full' })
        return { accepted: batch.length, rejected: [] }
      }
    }
    await expect(run({}, failing())).rejects.toMatchObject({ code: 'store_failed' })
    expect(await states()).toHaveLength(1)
    const other = await run({ device: 'other' }, hub().emit)
    expect(other.text).toContain('another mapping: starting over')
    expect(other.summary.rows).toBe(100_000)
    await expect(run({}, failing())).rejects.toThrow()
    const restarted = await run({ restart: true }, hub().emit)
    expect(restarted.summary.resumedAtLine).toBeUndefined()
    expect(restarted.text).not.toContain('Going on')
  })

  it('does not go on in a file that has changed', async () => {
    await writeFile(file, many(100_000))
    const controller = new AbortController()
    const halting = hub()
    const emit: Emit = async (batch) => {
      if (halting.calls === 12) controller.abort()
      return halting.emit(batch)
    }
    await run({}, emit, controller.signal)
    expect(await states()).toHaveLength(1)
    await writeFile(file, many(100_001))
    const { summary } = await run({}, hub().emit)
    expect(summary.rows).toBe(100_001)
    expect(summary.resumedAtLine).toBeUndefined()
  })

  it('refuses before anything is imported, and leaves no files', async () => {
    await writeFile(file, 'timestamp,Light\n2024-01-01,5\n')
    const miniature = hub()
    const refused: [Partial<ImportOptions>, string, RegExp][] = [
      [{}, 'mapping_unclear', /--column "COL=device\/metric:unit"/],
      [{ file: join(folder, 'none.csv') }, 'file_unreadable', /no such file/],
      [{ time: 'when' }, 'column_unknown', /"when"; it has timestamp, Light/],
      [{ delimiter: ';;' }, 'mapping_unclear', /not one character/],
      [{ decimal: 'x' }, 'mapping_unclear', /--decimal/],
      [{ column: ['Light=a/illuminance:lx'], bad: file }, 'file_unreadable', /holds no bad rows/],
    ]
    for (const [options, code, message] of refused) {
      const attempt = run(options, miniature.emit)
      await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    }
    expect(miniature.calls).toBe(0)
    expect(await exists(`${file}.bad.csv`)).toBe(false)
  })

  it('removes the bad rows of an earlier import that have been mended', async () => {
    await writeFile(file, 'timestamp,load_w\n2024-01-01,5\n2024-01-02,x\n2024-01-03,6\n')
    await run({}, hub().emit)
    expect(await exists(`${file}.bad.csv`)).toBe(true)
    await writeFile(file, 'timestamp,load_w\n2024-01-01,5\n2024-01-02,7\n2024-01-03,6\n')
    await run({}, hub().emit)
    expect(await exists(`${file}.bad.csv`)).toBe(false)
  })

  it('draws a bar on a terminal and takes it away again', async () => {
    await writeFile(file, many(30_000))
    const { text } = await run({}, hub().emit, undefined, true)
    expect(text).toContain('rows/s')
    expect(text.trimEnd().split('\n').at(-1)).toContain('Bad rows: 6')
  })
})

describe('importFlags', () => {
  it('hands the flags over under the names of the options', () => {
    const command = importFlags(new Command().argument('<file>'))
    command.parse(
      [
        'f.csv',
        '--column',
        'a=x/power:W',
        '--column',
        'b=y/power:W',
        '--gap-when',
        'a=0',
        '--dry-run',
        '--zone',
        'Europe/Paris',
      ],
      { from: 'user' },
    )
    expect(command.opts()).toEqual({
      column: ['a=x/power:W', 'b=y/power:W'],
      gapWhen: ['a=0'],
      dryRun: true,
      zone: 'Europe/Paris',
    })
  })
})
