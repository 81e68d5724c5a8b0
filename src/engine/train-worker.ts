import type { StoredModel } from '../core/life.ts'
import type { Domain, ForecastInput, ForecastOutput, LearnInput } from '../domains/domain.ts'
import { domains as shipped } from '../domains/index.ts'
import { modelOf } from '../ml/gate.ts'

export interface JobRequest {
  /** Name of the learning, as its domain gives it. */
  readonly task: string
  readonly input: ForecastInput | LearnInput
  /** Receives the share that is done, 0 to 1. */
  readonly port?: { postMessage(share: number): void }
  /** URL of a module that exports `domains`; default: those that are shipped. */
  readonly domainsModule?: string
}

/** Resolves once a thread has loaded all that it needs. */
export const ready = (): void => undefined

/** Entry of the worker threads. */
export async function runTask(request: JobRequest): Promise<ForecastOutput | StoredModel> {
  const { domainsModule } = request
  if (domainsModule === undefined) return runWork(shipped, request)
  const { domains }: { readonly domains: readonly Domain[] } = await import(domainsModule)
  return runWork(domains, request)
}

/** Does the work of the domain that learns under the name. */
export function runWork(
  domains: readonly Domain[],
  { task, input, port }: JobRequest,
): ForecastOutput | StoredModel {
  const learning = domains.map((domain) => domain.learning).find((one) => one?.name === task)
  if (!learning) throw new RangeError(`No domain learns "${task}".`)
  if (input.mode === 'forecast') return learning.forecast(input)
  return modelOf(learning.learn(input, (share) => port?.postMessage(share)))
}
