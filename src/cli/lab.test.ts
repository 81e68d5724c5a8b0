import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { exitOf, HomeostatError } from '../core/errors.ts'
import { createRandom } from '../ml/random.ts'
import { labCommand } from './lab.ts'

/** The commands of `lab` from their arguments on, in this process, on small files that are made here. */

vi.setConfig({ testTimeout: 60_000 })

interface Ended {
  readonly exit: number
  readonly out: string
  readonly error: string
}

let folder = ''
const at = (name: string): string => join(folder, name)

async function lab(...args: readonly string[]): Promise<Ended> {
  const texts = { out: '', error: '' }
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    texts.out += String(text)
    return true
  })
  const program = new Command().exitOverride().configureOutput({
    writeErr: (text) => {
      texts.error += text
    },
  })
  labCommand(program)
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    command.exitOverride().copyInheritedSettings(program)
  }
  try {
    await program.parseAsync(['node', 'homeostat', 'lab', ...args])
    return { exit: 0, ...texts }
  } catch (error) {
    if (error instanceof CommanderError) return { exit: 2, ...texts }
    if (!(error instanceof HomeostatError)) throw error
    return { exit: exitOf(error.code), out: texts.out, error: error.message }
  } finally {
    stdout.mockRestore()
  }
}

const random = createRandom(11)
const iso = (hour: number): string => new Date(Date.UTC(2024, 0, 1) + hour * 3_600_000).toISOString()

/** y = 2a - b and a little noise; the line of row `row` may be another. */
const table = (rows: number, change: Readonly<Record<number, string>> = {}): string =>
  `a,b,y\n${Array.from({ length: rows }, (_, row) => {
    const [a, b] = [random.normal(), random.normal()]
    return change[row] ?? [a, b, 2 * a - b + 0.1 * random.normal()].map((one) => one.toFixed(4)).join(',')
  }).join('\n')}\n`

/** Two daily waves apart by their level. */
const wave = (hour: number, level: number): number =>
  level + 5 * Math.sin((2 * Math.PI * hour) / 24) + 0.5 * random.normal()

const series = (hours: number, change: Readonly<Record<number, string>> = {}): string =>
  `time,value\n${Array.from({ length: hours }, (_, hour) => change[hour] ?? `${iso(hour)},${wave(hour, 10).toFixed(3)}`).join('\n')}\n`

const classes = (rows: number, names: readonly string[]): string =>
  `a,b,kind\n${Array.from({ length: rows }, (_, row) => {
    const kind = row % names.length
    return `${(3 * kind + random.normal()).toFixed(3)},${random.normal().toFixed(3)},${names[kind]}`
  }).join('\n')}\n`

const homes = (from: number, to: number): string =>
  `unique_id,ds,y\n${['north', 'south']
    .flatMap((home, nth) =>
      Array.from(
        { length: to - from },
        (_, hour) => `${home},${iso(from + hour)},${wave(from + hour, 10 * (nth + 1)).toFixed(3)}`,
      ),
    )
    .join('\n')}\n`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-lab-'))
  const files: Readonly<Record<string, string>> = {
    'train.csv': table(300),
    'test.csv': table(100),
    'semicolons.csv': `\uFEFF${table(300).replaceAll(',', ';').replaceAll('.', ',').replaceAll('\n', '\r\n')}`,
    'word.csv': table(300, { 41: '1,oops,2' }),
    'gaps.csv': table(300, { 3: 'NaN,,1', 4: 'NA,1,2', 5: '1,2,' }),
    'no-b.csv': `a,b,y\n${Array.from({ length: 50 }, (_, row) => `${row % 7},,${row % 5}.5`).join('\n')}\n`,
    'flat-target.csv': `a,b,y\n${Array.from({ length: 50 }, (_, row) => `${row},${row % 3},4.5`).join('\n')}\n`,
    'one-class.csv': `a,b,kind\n${Array.from({ length: 50 }, (_, row) => `${row},${row % 3},cold`).join('\n')}\n`,
    'kinds.csv': classes(300, ['cold', 'mild', 'hot']),
    'kinds-test.csv': classes(90, ['cold', 'mild', 'hot']),
    'kinds-new.csv': classes(90, ['cold', 'mild', 'hot', 'boiling']),
    'ragged.csv': 'a,b,y\n1,2,3\n1,2\n',
    'header.csv': 'a,b,y\n',
    'empty.csv': '',
    'series.csv': series(24 * 20),
    'short.csv': series(30),
    'flat.csv': `time,value\n${Array.from({ length: 240 }, (_, hour) => `${iso(hour)},7`).join('\n')}\n`,
    'broken.csv': series(240, { 50: `${iso(50)},broken` }),
    'no-time.csv': series(240, { 50: 'yesterday,1' }),
    'homes.csv': homes(0, 24 * 15),
    'homes-later.csv': homes(24 * 15, 24 * 16),
    'late.csv': `time,value\n${Array.from({ length: 24 }, (_, hour) => `${iso(24 * 20 + hour)},${hour}`).join('\n')}\n`,
    'leap.csv':
      'time,value\n2024-03-31 01:00,1\n2024-03-31 01:30,1\n2024-03-31 02:30,1\n2024-03-31 03:00,2\n',
    'm4.csv': 'V1,V2,V3,V4,V5\nH1,1,2,3,4\nH2,2,x\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

const learn = (train: string, test = 'test.csv', ...more: readonly string[]): readonly string[] => [
  ...['learn', '--train', train, '--test', test, '--target', 'y'],
  ...more,
]
const forecast = (input: string, ...more: readonly string[]): readonly string[] => [
  ...['forecast', '--input', input, '--season', '24', '--horizon', '24', '--out', 'out.csv'],
  ...more,
]
const detect = (input: string, ...more: readonly string[]): readonly string[] => [
  ...['detect', '--input', input, '--time', 'time', '--value', 'value', '--out', 'out.csv'],
  ...more,
]

describe('bad input is one sentence that says what and where, an exit code, and no file', () => {
  test.each([
    [learn('absent.csv'), 4, 'absent.csv: there is no such file.'],
    [learn('train.csv', 'absent.csv'), 4, 'absent.csv: there is no such file.'],
    [learn('empty.csv'), 4, 'empty.csv: it holds no rows.'],
    [learn('header.csv'), 2, 'header.csv holds a header and no rows.'],
    [learn('ragged.csv'), 2, 'ragged.csv, line 3: the row has 2 fields, the header 3.'],
    [learn('word.csv'), 2, 'word.csv, line 43: "oops" in the column b is not a number.'],
    [learn('train.csv', 'word.csv'), 2, 'word.csv, line 43: "oops" in the column b is not a number.'],
    [
      learn('train.csv', 'test.csv', '--target', 'Y'),
      2,
      'train.csv has no column "Y"; it has a, b, y (closest: y).',
    ],
    [learn('train.csv', 'test.csv', '--drop', 'q'), 2, 'train.csv has no column "q"'],
    [learn('train.csv', 'test.csv', '--time', 'q'), 2, 'train.csv has no column "q"'],
    [learn('train.csv', 'test.csv', '--group', 'q'), 2, 'train.csv has no column "q"'],
    [learn('train.csv', 'test.csv', '--drop', 'y'), 2, 'the column y is the target; it cannot be dropped'],
    [
      learn('train.csv', 'test.csv', '--drop', 'a,b'),
      2,
      'train.csv has no column to learn from besides the target.',
    ],
    [
      learn('train.csv', 'test.csv', '--time', 'a'),
      2,
      /train\.csv, line 2: ".*" in the column a is not a time/,
    ],
    [learn('train.csv', 'test.csv', '--zone', 'Mars/X'), 2, 'Zones are called as in Europe/Paris or UTC.'],
    [learn('train.csv', 'kinds.csv'), 2, 'kinds.csv has no column "y"'],
    [learn('no-b.csv'), 2, 'no-b.csv: the column b is empty in every row; leave it out by --drop b.'],
    [
      learn('flat-target.csv'),
      2,
      'flat-target.csv: the target y is 4.5 in every row; there is nothing to learn.',
    ],
    [
      learn('one-class.csv', 'kinds.csv', '--target', 'kind'),
      2,
      'one-class.csv: the target kind has one class only (cold); there is nothing to tell apart.',
    ],
    [
      learn('kinds.csv', 'kinds-new.csv', '--target', 'kind'),
      2,
      'kinds-new.csv, line 5: "boiling" in the column kind is no class of the training (cold, hot, mild).',
    ],
    [
      learn('train.csv', 'test.csv', '--task', 'classification'),
      2,
      /train\.csv: the target y has 29\d classes in 300 rows; --task regression learns numbers\./,
    ],
    [
      forecast('leap.csv', '--zone', 'Europe/Paris'),
      2,
      'leap.csv, line 4: "2024-03-31 02:30" in the column time does not exist in Europe/Paris, whose clocks were put forward over it.',
    ],
    [forecast('absent.csv'), 4, 'absent.csv: there is no such file.'],
    [forecast('series.csv', '--value', 'q'), 2, 'series.csv has no column "q"'],
    [forecast('series.csv', '--time', 'q'), 2, 'series.csv has no column "q"'],
    [forecast('series.csv', '--series', 'q'), 2, 'series.csv has no column "q"'],
    [forecast('broken.csv'), 2, 'broken.csv, line 52: "broken" in the column value is not a number.'],
    [forecast('no-time.csv'), 2, 'no-time.csv, line 52: "yesterday" in the column time is not a time.'],
    [forecast('m4.csv'), 2, 'm4.csv, line 3: "x" in the column V3 is not a number.'],
    [
      forecast('short.csv', '--horizon', '48'),
      2,
      'the series value has 30 values; a forecast of 48 steps with a season of 24 needs 48.',
    ],
    [forecast('series.csv', '--horizon', '0'), 2, 'A whole number from 1 to 100000.'],
    [forecast('series.csv', '--level', '1.2'), 2, 'Shares between 0 and 1'],
    [forecast('series.csv', '--level', '0.9,'), 2, 'Shares between 0 and 1'],
    [forecast('series.csv', '--format', 'tall'), 2, 'Formats are long, wide and m4.'],
    [forecast('series.csv', '--zone', 'Mars/X'), 2, 'Zones are called as in Europe/Paris or UTC.'],
    [forecast('series.csv', '--actuals', 'train.csv'), 2, 'the actuals hold no series value.'],
    [
      forecast('series.csv', '--actuals', 'series.csv'),
      2,
      'the actuals hold no value of the steps after value.',
    ],
    [
      forecast('series.csv', '--out', 'nowhere/out.csv'),
      4,
      /nowhere.out\.csv: there is no folder .*nowhere to write it into\./,
    ],
    [forecast('series.csv', '--out', '.'), 4, 'it is a folder; name a file to write.'],
    [detect('absent.csv'), 4, 'absent.csv: there is no such file.'],
    [detect('series.csv', '--value', 'q'), 2, 'series.csv has no column "q"'],
    [detect('series.csv', '--value', 'value,value'), 2, 'The column value is named twice.'],
    [detect('series.csv', '--value', 'time'), 2, 'the column time holds the times; it cannot be watched.'],
    [detect('broken.csv'), 2, 'broken.csv, line 52: "broken" in the column value is not a number.'],
    [detect('no-time.csv'), 2, 'no-time.csv, line 52: "yesterday" in the column time is not a time.'],
    [detect('series.csv', '--false-alarms-per-week', '0'), 2, 'A number above 0.'],
    [
      detect('series.csv', '--train', 'short.csv'),
      2,
      'short.csv has 30 rows; a recording of normal times needs at least 100.',
    ],
    [detect('series.csv', '--out', 'nowhere/out.csv'), 4, /there is no folder .*nowhere to write it into\./],
  ] as const)('lab %j', async (args, exit, sentence) => {
    // names of files are taken from the folder of the test
    const isFile = (arg: string): boolean => /\.csv$|^\.$/.test(arg)
    const ended = await lab(...args.map((arg) => (isFile(arg) ? at(arg) : arg)))
    expect(ended.error).toMatch(sentence)
    expect(ended.error.trimEnd().split('\n').length).toBe(1)
    expect(ended).toMatchObject({ exit, out: '' })
    expect(readdirSync(folder).filter((name) => /^out|part/.test(name))).toEqual([])
  })
})

const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
  const { exit, out, error } = await lab(...args, '--json')
  expect([exit, error]).toEqual([0, ''])
  return JSON.parse(out) as Record<string, unknown>
}
const numbers = (value: unknown): Record<string, number> => value as Record<string, number>

describe('lab learn', () => {
  test('learns a line nearly as well as it can be known, and says how the mean does', async () => {
    const said = await json('learn', '--train', at('train.csv'), '--test', at('test.csv'), '--target', 'y')
    expect(Object.keys(said)).toEqual([
      ...[
        'task',
        'target',
        'rows',
        'leftOut',
        'metrics',
        'naive',
        'skill',
        'learners',
        'importance',
        'features',
        'notes',
      ],
    ])
    expect(said).toMatchObject({ task: 'regression', target: 'y', rows: { train: 300, test: 100 } })
    expect(numbers(said['metrics'])['rmse']).toBeLessThan(0.15)
    expect(numbers(said['metrics'])['r2']).toBeGreaterThan(0.99)
    expect(numbers(said['naive'])['rmse']).toBeGreaterThan(1.5)
    for (const name of ['mae', 'bias', 'mape']) expect(numbers(said['metrics'])[name]).toBeTypeOf('number')
  })

  test('reads semicolons, decimal commas, a mark of the byte order and other ends of lines', async () => {
    const said = await json(
      'learn',
      '--train',
      at('semicolons.csv'),
      '--test',
      at('test.csv'),
      '--target',
      'y',
    )
    expect(numbers(said['metrics'])['rmse']).toBeLessThan(0.15)
  })

  test('leaves out rows without a target, and lives with missing cells', async () => {
    const said = await json('learn', '--train', at('gaps.csv'), '--test', at('test.csv'), '--target', 'y')
    expect(said).toMatchObject({ rows: { train: 299, test: 100 } })
  })

  test('tells classes apart by their names', async () => {
    const files = ['--train', at('kinds.csv'), '--test', at('kinds-test.csv')]
    const said = await json('learn', ...files, '--target', 'kind')
    expect(said).toMatchObject({ task: 'classification', classes: ['cold', 'hot', 'mild'] })
    const metrics = numbers(said['metrics'])
    for (const name of ['accuracy', 'balancedAccuracy', 'precision', 'recall', 'f1'])
      expect(metrics[name], name).toBeGreaterThan(0.8)
    expect(metrics['brier']).toBeLessThan(0.3)
    expect(metrics['ece']).toBeLessThan(0.2)
  })
})

describe('lab forecast', () => {
  test('finds the series of a long file, and scores them as one would by hand', async () => {
    const files = [
      '--input',
      at('homes.csv'),
      '--actuals',
      at('homes-later.csv'),
      '--out',
      at('homes-out.csv'),
    ]
    const said = await json('forecast', ...files, '--season', '24', '--horizon', '24', '--level', '0.9,0.95')
    expect(said['notes']).toEqual([
      'homes.csv: the column unique_id is taken as the name of the series (--series names another).',
    ])
    const [head, ...rows] = readFileSync(at('homes-out.csv'), 'utf8').trimEnd().split('\n')
    expect(head).toBe('series,step,mean,lo,hi,lo_0.95,hi_0.95,time')
    expect(rows.length).toBe(48)
    const column = (file: string, home: string): number[] =>
      readFileSync(at(file), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${home},`))
        .map((line) => Number(line.split(',')[2]))
    const scores = said['series'] as readonly Record<string, number>[]
    for (const [nth, home] of ['north', 'south'].entries()) {
      const [past, came] = [column('homes.csv', home), column('homes-later.csv', home)]
      const steps = rows.filter((row) => row.startsWith(`${home},`)).map((row) => row.split(',').map(Number))
      const scale =
        past.slice(24).reduce((sum, value, k) => sum + Math.abs(value - past[k]!), 0) / (past.length - 24)
      const error = steps.reduce((sum, step, k) => sum + Math.abs(step[2]! - came[k]!), 0) / 24
      const inside = steps.filter((step, k) => came[k]! >= step[3]! && came[k]! <= step[4]!).length / 24
      expect(scores[nth]).toMatchObject({ series: home, coverage: inside })
      expect(scores[nth]!['mase']).toBeCloseTo(error / scale, 9)
      expect(error / scale).toBeLessThan(1.2)
    }
    const meanScores = numbers(said['mean'])
    expect(meanScores['mase']).toBeCloseTo((scores[0]!['mase']! + scores[1]!['mase']!) / 2, 12)
  })

  test('a flat series is forecast flat, with no width', async () => {
    const said = await json('forecast', '--input', at('flat.csv'), '--season', '24', '--horizon', '24')
    const [{ forecast }] = said['series'] as [{ forecast: { mean: number[]; intervals: { hi: number[] }[] } }]
    expect(forecast.mean).toEqual(new Array(24).fill(7))
    expect(Math.max(...forecast.intervals[0]!.hi)).toBeLessThan(7.01)
  })

  test('shows a table and a picture without --json', async () => {
    const files = ['--input', at('series.csv'), '--actuals', at('late.csv')]
    const { out } = await lab('forecast', ...files, '--season', '24', '--horizon', '24')
    expect(out).toMatch(/^1 series, 24 steps ahead, season 24\n/)
    expect(out).toMatch(/• known, ─ forecast, ░ 90 % interval, × what came/)
    expect(out).toMatch(/MASE +sMAPE +MSIS 90 +covered 90/)
  })
})

describe('lab detect', () => {
  const hours = 24 * 60
  const spike = 24 * 45 + 7
  const strange = (until: number): string =>
    `time,value\n${Array.from({ length: until }, (_, hour) => {
      const value = 10 + 5 * Math.sin((2 * Math.PI * hour) / 24) + Math.sin(hour * hour) / 2
      return `${iso(hour)},${(hour === spike ? 40 : value).toFixed(3)}`
    }).join('\n')}\n`

  test('scores every row from 0 to 1, finds what stands out, and says what it learnt from', async () => {
    writeFileSync(at('strange.csv'), strange(hours))
    const said = await json(...detect(at('strange.csv')).slice(0, -1), at('scores.csv'))
    expect(said).toMatchObject({ rows: hours, out: at('scores.csv'), learntFrom: { file: 'strange.csv' } })
    const [head, ...rows] = readFileSync(at('scores.csv'), 'utf8').trimEnd().split('\n')
    expect(head).toBe('time,score,alarm,p_value,column')
    expect(rows.length).toBe(hours)
    for (const row of rows) {
      const [, score, alarm] = row.split(',')
      expect(Number(score)).toBeGreaterThanOrEqual(0)
      expect(Number(score)).toBeLessThanOrEqual(1)
      expect(['0', '1']).toContain(alarm)
    }
    expect(rows[spike]).toMatch(/,1,[^,]+,value$/)
    const alarms = said['at'] as readonly { readonly line: number }[]
    expect(alarms.map(({ line }) => line)).toContain(spike + 2)
    // eight weeks of normal times, two a week at most
    expect(alarms.length).toBeLessThanOrEqual(18)
  })

  test('later rows change nothing of what is said of the rows before', async () => {
    writeFileSync(at('part.csv'), strange(24 * 40))
    await lab(...detect(at('part.csv')).slice(0, -1), at('part-scores.csv'))
    const part = readFileSync(at('part-scores.csv'), 'utf8')
    expect(readFileSync(at('scores.csv'), 'utf8').startsWith(part)).toBe(true)
  })
})
