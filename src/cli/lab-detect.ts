import { type Command, InvalidArgumentError } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import { type Detector, type Finding, StreamDetector } from '../ml/detect.ts'
import { trainDetector } from '../ml/detect-reference.ts'
import { timeColumn as atColumn } from '../ml/streaming.ts'
import { checkWritable, columns, type ReadingFlags, readingFlags, readingOf, zone } from './lab-flags.ts'
import { type LabTable, numberColumn, readTable, textColumn, timeColumn } from './lab-table.ts'
import { csvField, figure, jsonText, sparkline, squeeze, textTable, writeWhole } from './lab-text.ts'

interface DetectFlags extends ReadingFlags {
  readonly input: string
  readonly train?: string
  readonly time: string
  readonly value: readonly string[]
  readonly falseAlarmsPerWeek: number
  readonly out: string
  readonly zone: string
  readonly json?: boolean
}

/** Adds `lab detect`. */
export function detectCommand(lab: Command): void {
  readingFlags(lab.command('detect'))
    .description('score every row of a CSV file by how strange it is, by the rows before it only')
    .requiredOption('--input <file>', 'CSV file')
    .option('--train <file>', 'a recording of normal times in the same columns')
    .requiredOption('--time <column>', 'column of times')
    .requiredOption('--value <columns>', 'columns to watch, with commas', columns)
    .option('--false-alarms-per-week <n>', 'alarms that you will bear where nothing is wrong', rate, 2)
    .requiredOption('--out <file>', 'write time,score,alarm,p_value,column a row to this CSV file')
    .option('--zone <zone>', 'zone of times without an offset', zone, 'UTC')
    .option('--json', 'JSON instead of tables')
    .action(async (flags: DetectFlags) => {
      process.stdout.write(await labDetect(flags))
    })
}

interface Watched {
  readonly table: LabTable
  readonly at: Float64Array
  readonly columns: readonly Float64Array[]
  /** Rows in order of time; equal times as they stand. */
  readonly order: Int32Array
}

/** Runs the command; gives what it prints. Nothing is written unless all is well. */
export async function labDetect(flags: DetectFlags): Promise<string> {
  await checkWritable(flags.out)
  const watched = await watch(flags.input, flags)
  const reference = flags.train === undefined ? undefined : await watch(flags.train, flags)
  const findings = run(detectorOf(flags, reference), watched)
  const basis = basisOf(watched, reference, findings)
  await writeWhole(flags.out, csvOf(flags, watched, findings))
  const alarms = [...watched.order].filter((row) => findings[row]!.alarm)
  return flags.json === true
    ? jsonText({
        rows: findings.length,
        alarms: alarms.length,
        learntFrom: basis,
        out: flags.out,
        at: alarms.map((row) => alarmOf(watched, findings, row)),
      })
    : describe(flags, watched, findings, alarms, basis)
}

async function watch(path: string, flags: DetectFlags): Promise<Watched> {
  const { time, value, zone } = flags
  const table = await readTable(path, readingOf(flags))
  const at = timeColumn(table, time, zone)
  if (value.includes(time))
    throw new HomeostatError('data_invalid', {
      detail: `the column ${time} holds the times; it cannot be watched`,
    })
  const columns = value.map((column) => numberColumn(table, column))
  for (const [k, column] of columns.entries())
    if (column.every((one) => Number.isNaN(one)))
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}: the column ${value[k]} holds no value in any row`,
      })
  const order = Int32Array.from(at.keys()).sort((a, b) => at[a]! - at[b]! || a - b)
  return { table, at, columns, order }
}

/** What a detector needs to see of normal times before it can be said to know them. */
const trainRowsMin = 100

function detectorOf(
  { value, falseAlarmsPerWeek, zone }: DetectFlags,
  reference: Watched | undefined,
): Detector {
  if (!reference) return new StreamDetector(value, { falseAlarmsPerWeek, zone })
  const { order, table } = reference
  if (order.length < trainRowsMin)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name} has ${order.length} rows; a recording of normal times needs at least ${trainRowsMin}`,
    })
  const take = (column: Float64Array): Float64Array => Float64Array.from(order, (row) => column[row]!)
  const columns = [...reference.columns.map(take), take(reference.at)]
  return trainDetector(
    { rows: order.length, names: [...value, atColumn], columns },
    { falseAlarmsPerWeek },
    { zone },
  )
}

/** What the judgements rest on. */
interface Basis {
  readonly file: string
  /** Rows that were learnt before the first one was judged. */
  readonly rows: number
  readonly sentence: string
}

function basisOf(
  { table, order, at }: Watched,
  reference: Watched | undefined,
  findings: readonly Finding[],
): Basis {
  if (reference) {
    const [file, rows] = [reference.table.name, reference.order.length]
    return { file, rows, sentence: `What is normal was learnt from the ${rows} rows of ${file}.` }
  }
  const first = order.findIndex((row) => findings[row]!.pValue < 1)
  const rows = first < 0 ? order.length : first
  const until = new Date(at[order[Math.max(0, rows - 1)]!]!).toISOString()
  const sentence =
    first < 0
      ? `No row was judged: ${rows} rows tell too little of what is normal.`
      : `The first ${rows} rows, until ${until}, were only learnt from; every later row is judged by the rows before it.`
  return { file: table.name, rows, sentence }
}

/** One finding a row of the file, each made from the rows before it in time. */
function run(detector: Detector, { at, columns, order }: Watched): Finding[] {
  const findings = new Array<Finding>(order.length)
  const values = new Float64Array(columns.length)
  for (const row of order) {
    for (let k = 0; k < values.length; k++) values[k] = columns[k]![row]!
    findings[row] = detector.next(values, at[row]!)
  }
  return findings
}

function csvOf(flags: DetectFlags, { table }: Watched, findings: readonly Finding[]): string {
  const times = textColumn(table, flags.time)
  const lines = findings.map(({ score, alarm, pValue, column }, row) =>
    [csvField(times[row]!), score, alarm ? 1 : 0, pValue, csvField(column ?? '')].join(','),
  )
  return `time,score,alarm,p_value,column\n${lines.join('\n')}\n`
}

const alarmOf = ({ table, at }: Watched, findings: readonly Finding[], row: number) => ({
  time: new Date(at[row]!).toISOString(),
  line: table.lines[row],
  score: findings[row]!.score,
  pValue: findings[row]!.pValue,
  column: findings[row]!.column,
})

const shownMax = 20

function describe(
  flags: DetectFlags,
  watched: Watched,
  findings: readonly Finding[],
  alarms: readonly number[],
  { sentence }: Basis,
): string {
  const { table, order, columns } = watched
  const inOrder = (column: ArrayLike<number>): Float64Array => Float64Array.from(order, (row) => column[row]!)
  const marks = squeeze(inOrder(findings.map(({ alarm }) => (alarm ? 1 : 0))), 100)
  const room = Math.max(5, ...flags.value.map((name) => name.length))
  return [
    `${table.name}: ${findings.length} rows, ${alarms.length} ${alarms.length === 1 ? 'alarm' : 'alarms'}; in normal times at most ${flags.falseAlarmsPerWeek} a week are meant to come\n${sentence}\n${table.notes.map((note) => `${note}\n`).join('')}\n`,
    ...flags.value.map((name, k) => `  ${name.padEnd(room)} ${sparkline(inOrder(columns[k]!), 100)}\n`),
    `  ${'score'.padEnd(room)} ${sparkline(inOrder(findings.map(({ score }) => score)), 100)}\n`,
    `  ${'alarm'.padEnd(room)} ${marks.map((mark) => (mark > 0 ? '!' : ' ')).join('')}\n\n`,
    alarms.length === 0
      ? '  No alarm.\n'
      : textTable([
          ['time', 'line', 'score', 'p-value', 'column'],
          ...alarms.slice(0, shownMax).map((row) => {
            const { time, line, score, pValue, column } = alarmOf(watched, findings, row)
            return [time, String(line), figure(score), pValue.toExponential(1), column ?? '']
          }),
        ]),
    alarms.length > shownMax ? `  ... and ${alarms.length - shownMax} more\n` : '',
    `Written to ${flags.out}\n`,
  ].join('')
}

function rate(text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new InvalidArgumentError('A number above 0.')
}
