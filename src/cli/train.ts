import type { Command } from 'commander'
import type { z } from 'zod'
import type * as m from '../contract/model-schemas.ts'
import { HomeostatError } from '../core/errors.ts'
import { isSameTarget } from '../core/target.ts'
import { type ConfigFlags, configFlags, configOf, stopSignal } from './flags.ts'
import { type HubAccess, reachHub } from './hub-access.ts'
import { jsonText, textTable } from './lab-text.ts'
import { type Entry, share, skillOf } from './model-text.ts'
import { allModels } from './models.ts'
import { lineNowAndThen, type Output, startBar } from './progress.ts'

type Job = z.output<typeof m.job>

interface TrainFlags extends ConfigFlags {
  readonly site?: string
  readonly device?: string
  readonly domain?: string
  readonly force?: boolean
  readonly json?: boolean
}

const pollMs = 300

/** Adds `train`. Asks the hub that holds the folder; without one it learns on the folder itself. */
export function trainCommand(program: Command, version: string): void {
  configFlags(program.command('train').description('learn again from what is stored, and judge it'))
    .option('--site <id>', 'this site only')
    .option('--device <id>', 'this device only')
    .option('--domain <name>', 'this domain only, e.g. energy')
    .option('--force', 'publish it even if the gate rejects it; recorded in the history')
    .option('--json', 'one JSON object instead of a table')
    .action(async (flags: TrainFlags) => {
      const hub = await reachHub(configOf(flags), { version, learn: true })
      const { signal, release } = stopSignal()
      const out = { write: (text: string) => void process.stdout.write(text), isTTY: process.stdout.isTTY }
      try {
        process.exitCode = await train(hub, flags, out, signal)
      } finally {
        release()
        await hub.close()
      }
    })
}

/** Returns the exit code: 0 all ran, 1 one did not, 130 interrupted. Rejects with `not_found` for nothing to learn. */
export async function train(
  hub: HubAccess,
  flags: TrainFlags,
  out: Output,
  signal: AbortSignal,
): Promise<number> {
  const { site, device, domain, force = false, json = false } = flags
  const before = new Set((await activeJobs(hub)).map(({ id }) => id))
  const query = site === undefined ? '' : `?${new URLSearchParams({ site })}`
  const wanted = {
    ...(device === undefined ? {} : { device }),
    ...(domain === undefined ? {} : { domain }),
    force,
  }
  const { jobs } = (await hub.request('POST', `/api/v1/train${query}`, wanted)) as { jobs: Job[] }
  if (jobs.length === 0) throw new HomeostatError('not_found', { what: nothingFor(flags) })
  if (!json) out.write(`Learning ${jobs.length === 1 ? 'one target' : `${jobs.length} targets`}.\n`)
  const progress = json ? silent : progressOn(out, jobs.length)
  const isOwn = ({ id }: Job): boolean => !before.has(id)
  const ended = await untilEnded(hub, jobs, { progress, signal, isOwn }).finally(() => progress.stop())
  const results = resultsOf(ended, await allModels(hub, { site, device }))
  out.write(json ? jsonText({ trainings: results }) : resultText(results))
  if (signal.aborted) return 130
  return ended.every(({ status }) => status === 'done') ? 0 : 1
}

const activeJobs = async (hub: HubAccess): Promise<Job[]> =>
  (await Promise.all(['queued', 'running'].map((status) => jobsOf(hub, `status=${status}&`)))).flat()

const jobsOf = async (hub: HubAccess, query = ''): Promise<Job[]> =>
  ((await hub.request('GET', `/api/v1/jobs?kind=train&${query}limit=10000`)) as { items: Job[] }).items

function nothingFor({ site, device, domain }: TrainFlags): string {
  const of = [
    ...(domain === undefined ? [] : [`the domain ${domain}`]),
    ...(device === undefined ? [] : [`the device ${device}`]),
    ...(site === undefined ? [] : [`the site ${site}`]),
  ]
  return `target to learn from${of.length === 0 ? '' : ` of ${of.join(', ')}`}; import some or connect a sensor`
}

interface Waiting {
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Whether this command queued it; an interruption cancels no other jobs. */
  readonly isOwn: (job: Job) => boolean
}

const isActive = ({ status }: Job): boolean => status === 'queued' || status === 'running'

/** The jobs in their final state; after an interruption, in their current one. */
async function untilEnded(
  hub: HubAccess,
  asked: readonly Job[],
  { progress, signal, isOwn }: Waiting,
): Promise<Job[]> {
  let jobs = [...asked]
  const look = async (): Promise<void> => {
    const known = new Map((await jobsOf(hub)).map((job) => [job.id, job]))
    jobs = jobs.map((job) => known.get(job.id) ?? job)
  }
  while (jobs.some(isActive) && !signal.aborted) {
    await pause(pollMs, signal)
    await look()
    progress.update(jobs)
  }
  if (signal.aborted) {
    const left = jobs.filter((job) => isActive(job) && isOwn(job))
    // those that wait first: else they would begin as soon as there is room
    for (const status of ['queued', 'running'] as const)
      await Promise.all(left.filter((job) => job.status === status).map((job) => cancel(hub, job)))
    await look()
  }
  return jobs
}

async function cancel(hub: HubAccess, { id }: Job): Promise<void> {
  try {
    await hub.request('DELETE', `/api/v1/jobs/${encodeURIComponent(id)}`)
  } catch (error) {
    // it ended meanwhile
    if (!(error instanceof HomeostatError && error.code === 'not_acceptable_state')) throw error
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })

interface Progress {
  update(jobs: readonly Job[]): void
  stop(): void
}

const silent: Progress = { update: () => undefined, stop: () => undefined }

/** A bar on a terminal, which goes when all have ended; a line every few seconds elsewhere. */
function progressOn(out: Output, all: number): Progress {
  const fieldsOf = (ended: number) => ({ ended: String(ended), all: String(all) })
  const endedOf = (jobs: readonly Job[]): number => jobs.filter((job) => !isActive(job)).length
  if (!out.isTTY) {
    const writeLine = lineNowAndThen(out)
    return {
      update: (jobs) => writeLine(() => `${endedOf(jobs)} of ${all} trainings have ended`),
      stop: () => undefined,
    }
  }
  const format = '{bar} {percentage} % | {ended} of {all} trainings'
  const bar = startBar(out, { format, columns: 80, total: all, from: 0, fields: fieldsOf(0) })
  return {
    update: (jobs) =>
      bar.update(
        jobs.reduce((sum, job) => sum + (isActive(job) ? job.progress : 1), 0),
        fieldsOf(endedOf(jobs)),
      ),
    stop: bar.stop,
  }
}

interface Result {
  readonly site: string
  readonly domain: string
  readonly subject: string
  /** live, challenger, rejected; or what became of the training instead: failed, cancelled, none, queued, running. */
  readonly verdict: string
  readonly version: string | null
  /** Against the best naive forecast. */
  readonly skill: number | null
  readonly coverage: number | null
  readonly reason: string
}

function resultsOf(jobs: readonly Job[], entries: readonly Entry[]): Result[] {
  return jobs.map((job) => {
    const made = entries.find(
      ({ target, model, trainedAt }) =>
        isSameTarget(target, job.target) &&
        model.kind === 'learned' &&
        trainedAt >= (job.startedAt ?? Number.POSITIVE_INFINITY),
    )
    if (job.status !== 'done' || !made) {
      const verdict = job.status === 'done' ? 'none' : job.status
      return { ...job.target, verdict, version: null, skill: null, coverage: null, reason: job.detail }
    }
    return {
      ...job.target,
      verdict: made.status,
      version: made.model.version,
      skill: skillOf(made) ?? null,
      coverage: made.coverage?.measured ?? null,
      reason: made.reason,
    }
  })
}

const resultText = (results: readonly Result[]): string =>
  textTable([
    ['site', 'domain', 'subject', 'verdict', 'skill', 'coverage', 'why'],
    ...results.map(({ site, domain, subject, verdict, skill, coverage, reason }) => [
      ...[site, domain, subject, verdict, share(skill), share(coverage), reason],
    ]),
  ])
