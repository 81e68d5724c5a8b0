import type { StoredModel } from '../core/life.ts'
import type { ForecastInput, ForecastOutput, LearnInput } from '../domains/domain.ts'
import { forecastEnergy } from '../domains/energy/forecast.ts'
import { learnEnergy } from '../domains/energy/learn.ts'

/** What a task of a domain does, by the mode of its input. Pure: data in, data out. */
export interface DomainTask {
  forecast(input: ForecastInput): ForecastOutput
  learn(input: LearnInput, onProgress?: (share: number) => void): StoredModel
}

/** Every task that a worker runs, by the name that a domain gives it. */
export const tasks: Readonly<Record<string, DomainTask>> = {
  energy: { forecast: forecastEnergy, learn: learnEnergy },
}

/** Resolves once a thread has loaded all that it needs. */
export const ready = (): void => undefined

/** Entry of the worker threads. Where there is a `port`, the share that is done, 0 to 1, is told through it. */
export function runTask({
  task,
  input,
  port,
}: {
  readonly task: string
  readonly input: ForecastInput | LearnInput
  readonly port?: { postMessage(share: number): void }
}): ForecastOutput | StoredModel {
  const work = tasks[task]
  if (!work) throw new RangeError(`There is no task "${task}".`)
  if (input.mode === 'forecast') return work.forecast(input)
  return work.learn(input, (share) => port?.postMessage(share))
}
