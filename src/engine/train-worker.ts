import type { StoredModel } from '../core/life.ts'
import type { ForecastInput, ForecastOutput, LearnInput } from '../domains/domain.ts'
import { forecastEnergy } from '../domains/energy/forecast.ts'
import { learnEnergy } from '../domains/energy/learn.ts'

/** What a task of a domain does, by the mode of its input. Pure: data in, data out. */
export interface DomainTask {
  forecast(input: ForecastInput): ForecastOutput
  learn(input: LearnInput): StoredModel
}

/** Every task that a worker runs, by the name that a domain gives it. */
export const tasks: Readonly<Record<string, DomainTask>> = {
  energy: { forecast: forecastEnergy, learn: learnEnergy },
}

/** Entry of the worker threads. */
export function runTask({
  task,
  input,
}: {
  readonly task: string
  readonly input: ForecastInput | LearnInput
}): ForecastOutput | StoredModel {
  const work = tasks[task]
  if (!work) throw new RangeError(`There is no task "${task}".`)
  return input.mode === 'learn' ? work.learn(input) : work.forecast(input)
}
