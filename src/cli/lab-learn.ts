import { type Command, InvalidArgumentError } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import { type Fold, leaveGroupOut, purgedFolds } from '../ml/folds.ts'
import { type Learnt, learnTable, type TableTask } from '../ml/learn.ts'
import { type RegressionScores, regressionScores } from '../ml/metrics.ts'
import { type ClassificationScores, classesOf, classificationScores } from '../ml/metrics-classification.ts'
import { type ColumnFlags, type LabRows, type Plan, planOf, rowsOf } from './lab-columns.ts'
import { columns, type ReadingFlags, readingFlags, readingOf, zone } from './lab-flags.ts'
import { showProgress } from './lab-progress.ts'
import { readTable } from './lab-table.ts'
import { withTeam } from './lab-team.ts'
import { figure, jsonText, percent, sparkline, textTable } from './lab-text.ts'

interface LearnFlags extends ColumnFlags, ReadingFlags {
  readonly train: string
  readonly test: string
  readonly json?: boolean
}

/** Adds `lab learn`. */
export function learnCommand(lab: Command): void {
  readingFlags(lab.command('learn'))
    .description('learn a column of a CSV file from the others, and score that on another file')
    .requiredOption('--train <file>', 'CSV file to learn from')
    .requiredOption('--test <file>', 'CSV file to score on; it is not learnt from')
    .requiredOption('--target <column>', 'column to learn')
    .option('--task <task>', 'regression or classification (default: by the target)', task)
    .option('--drop <columns>', 'columns to leave out, with commas', columns, [])
    .option(
      '--time <column>',
      'times of the rows: makes differences, rolling means and hours of the rows before',
    )
    .option('--group <column>', 'runs, homes or the like that stand apart, for features and folds')
    .option('--zone <zone>', 'zone of hours, and of times without an offset', zone, 'UTC')
    .option('--json', 'JSON instead of tables')
    .action(async (flags: LearnFlags) => {
      process.stdout.write(await labLearn(flags))
    })
}

type Scores = RegressionScores | ClassificationScores

/** Runs the command; gives what it prints. */
export async function labLearn(flags: LearnFlags): Promise<string> {
  const trainTable = await readTable(flags.train, readingOf(flags))
  const plan = planOf(trainTable, flags)
  const train = rowsOf(trainTable, plan)
  const test = rowsOf(await readTable(flags.test, readingOf(flags)), plan)
  if (train.target.every((value) => value === train.target[0]))
    throw new HomeostatError('data_invalid', {
      detail: `${trainTable.name}: the target ${flags.target} is ${train.target[0]} in every row; there is nothing to learn`,
    })
  const folds = foldsOf(train, plan)
  const own = [...plan.numbers, ...plan.names.map(({ column }) => column)]
  const alone = plan.spansMs ? { alone: own } : {}
  const learnt = await withTeam((team) =>
    learnTable(train.frame, train.target, plan.task, folds, { team, progress: showProgress, ...alone }),
  )
  const said = learnt.predict(test.frame)
  const metrics = score(plan.task, test.target, said, learnt.outputs)
  const naive = score(
    plan.task,
    test.target,
    naiveAnswer(train, test, plan.task, learnt.outputs),
    learnt.outputs,
  )
  return flags.json === true
    ? jsonText(report(plan, train, test, learnt, metrics, naive))
    : describe(plan, train, test, learnt, said, metrics, naive)
}

const foldCount = 6

/** Groups are left out one at a time; else stretches of time, as far from the rest as features remember. */
function foldsOf({ frame, at, groups }: LabRows, { spansMs }: Plan): Fold[] {
  if (groups && new Set(groups).size > 1) return inFew(leaveGroupOut(groups))
  if (frame.rows < 2 * foldCount) return []
  const memoryMs = spansMs?.at(-1) ?? 0
  return purgedFolds(at ?? Array.from({ length: frame.rows }, (_, row) => row), {
    folds: foldCount,
    purgeMs: memoryMs,
    embargoMs: memoryMs,
  })
}

/** Folds of many groups, put together to a few, so that the time does not grow with their number. */
function inFew(folds: readonly Fold[]): Fold[] {
  if (folds.length <= foldCount) return [...folds]
  return Array.from({ length: foldCount }, (_, part) => {
    const own = folds.filter((_, at) => at % foldCount === part)
    const test = Int32Array.from(own.flatMap((fold) => [...fold.test])).sort()
    const tested = new Set(test)
    const all = [...own[0]!.train, ...own[0]!.test].sort((a, b) => a - b)
    return {
      name: `groups ${part + 1} of ${foldCount}`,
      train: Int32Array.from(all.filter((row) => !tested.has(row))),
      test,
    }
  })
}

const score = (kind: TableTask, target: Float64Array, said: Float64Array, outputs: number): Scores =>
  kind === 'regression' ? regressionScores(target, said) : classificationScores(target, said, outputs)

/** The mean of the training, or the shares of its classes, for every row. */
function naiveAnswer(train: LabRows, test: LabRows, kind: TableTask, outputs: number): Float64Array {
  const { target } = train
  if (kind === 'regression' || outputs === 1) {
    const mean = target.reduce((sum, value) => sum + value, 0) / target.length
    return new Float64Array(test.target.length).fill(mean)
  }
  const shares = new Float64Array(outputs)
  for (const value of target) shares[value]! += 1 / target.length
  return Float64Array.from({ length: test.target.length * outputs }, (_, at) => shares[at % outputs]!)
}

function report(
  plan: Plan,
  train: LabRows,
  test: LabRows,
  learnt: Learnt,
  metrics: Scores,
  naive: Scores,
): unknown {
  return {
    task: plan.task,
    target: plan.flags.target,
    ...(plan.task === 'classification' ? { classes: plan.labels } : {}),
    rows: { train: train.frame.rows, test: test.frame.rows },
    leftOut: { train: train.leftOut, test: test.leftOut },
    metrics,
    naive,
    skill: skillOf(metrics, naive),
    learners: learnt.trials.map(({ name, weight, scores }) => ({ name, weight, folds: scores ?? null })),
    importance: learnt.importance,
    features: train.frame.names,
    notes: plan.notes,
  }
}

/** 1 - error / error of the naive answer; of Brier scores or of mean absolute errors. */
function skillOf(metrics: Scores, naive: Scores): number {
  const error = (scores: Scores): number => ('brier' in scores ? scores.brier : scores.mae)
  return 1 - error(metrics) / error(naive)
}

const shown = {
  classification: ['accuracy', 'balancedAccuracy', 'precision', 'recall', 'f1', 'brier', 'ece', 'rocAuc'],
  regression: ['mae', 'rmse', 'bias', 'mape', 'r2'],
} as const

function describe(
  plan: Plan,
  train: LabRows,
  test: LabRows,
  learnt: Learnt,
  said: Float64Array,
  metrics: Scores,
  naive: Scores,
): string {
  const figures = shown[plan.task]
  const cells = (scores: Scores | undefined): string[] => {
    const values: Readonly<Record<string, number>> = { ...scores }
    return figures.map((name) => figure(values[name] ?? Number.NaN))
  }
  const kind = plan.task === 'regression' ? 'a number' : `one of ${plan.labels.length} classes`
  return [
    `Learnt ${plan.flags.target} (${kind}) from ${train.frame.rows} rows and ${train.frame.names.length} features; scored on ${test.frame.rows} other rows.\n`,
    ...plan.notes.map((note) => `${note}\n`),
    leftOutText(plan, train, test),
    '\n',
    textTable([
      ['on the test file', ...figures],
      ['blend', ...cells(metrics)],
      [plan.task === 'regression' ? 'mean of the training' : 'shares of the training', ...cells(naive)],
    ]),
    '\n',
    textTable([
      ['on folds of the training', 'weight', ...figures],
      ...learnt.trials.map(({ name, weight, scores }) => [name, percent(weight), ...cells(scores)]),
    ]),
    '\n',
    textTable([
      ['matters most', 'share', ''],
      ...learnt.importance.slice(0, 10).map(({ name, share }) => [name, percent(share), bar(share)]),
    ]),
    '\n',
    picture(plan, test, said, learnt.outputs),
  ].join('')
}

function leftOutText({ flags: { target } }: Plan, train: LabRows, test: LabRows): string {
  if (train.leftOut + test.leftOut === 0) return ''
  return `Left out, since their ${target} is not known: ${train.leftOut} rows of the training file, ${test.leftOut} of the test file.\n`
}

const bar = (share: number): string => '█'.repeat(Math.round(share * 40))

/** The test's rows in their order: what was, and what was said. */
function picture(plan: Plan, { target }: LabRows, said: Float64Array, outputs: number): string {
  const answer = plan.task === 'regression' || outputs === 1 ? said : classesOf(said, outputs)
  return `  was   ${sparkline(target, 100)}\n  said  ${sparkline(answer, 100)}\n`
}

function task(text: string): TableTask {
  if (text === 'regression' || text === 'classification') return text
  throw new InvalidArgumentError('Tasks are regression and classification.')
}
