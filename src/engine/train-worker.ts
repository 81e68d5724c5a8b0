import type { LearningInput, LearningOutput } from '../domains/domain.ts'
import { learnEnergy } from '../domains/energy/learn.ts'

/** Every task that a worker runs, by the name that a domain gives it. Pure: data in, data out. */
export const tasks: Readonly<Record<string, (input: LearningInput) => LearningOutput>> = {
  energy: learnEnergy,
}

/** Entry of the worker threads. */
export function runTask({
  task,
  input,
}: {
  readonly task: string
  readonly input: LearningInput
}): LearningOutput {
  const work = tasks[task]
  if (!work) throw new RangeError(`There is no task "${task}".`)
  return work(input)
}
