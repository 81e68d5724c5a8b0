import { describe, expect, it } from 'vitest'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import type { Job } from '../../core/life.ts'
import type { Target } from '../../core/target.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { TrainingJobs, type TrainingJobsOptions } from './training-jobs.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const usual: TrainingJobsOptions = { atOnce: 2, waiting: 10, jobMs: 60_000 }
const wish = { by: 'a test', force: false }
const target = (subject: string, site = 'home'): Target => ({ site, domain: 'energy', subject })

interface Work {
  readonly job: Job
  readonly signal: AbortSignal
  progress(share: number): void
  done(said: string): void
  fail(error: unknown): void
}

/** Trainings that end when the test says so, or when they are aborted. */
function setUp(options: Partial<TrainingJobsOptions> = {}, ledger = createMemoryLedger().jobs) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  const works: Work[] = []
  const jobs = new TrainingJobs(
    {
      ...{ ledger, clock, log: silent },
      work: (job, signal, progress) =>
        new Promise((done, fail) => {
          works.push({ job, signal, progress, done, fail })
          signal.addEventListener('abort', () => fail(signal.reason))
        }),
    },
    { ...usual, ...options },
  )
  return { clock, works, jobs, ledger }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
}

describe('trainings', () => {
  it('run so many at a time, in the order in which they were asked for, and say what became of them', async () => {
    const { works, jobs, ledger } = setUp()
    await jobs.start()
    const queued = await jobs.queue([target('a'), target('b'), target('c')], wish)
    await settle()
    expect(works.map(({ job }) => job.target.subject)).toEqual(['a', 'b'])
    works[0]!.progress(0.5)
    expect(await jobs.get(queued[0]!.id)).toMatchObject({ status: 'running', progress: 0.5 })
    works[0]!.done('It was better.')
    await settle()
    expect(works[2]!.job.target.subject).toBe('c')
    expect(await ledger.get(queued[0]!.id)).toMatchObject({
      ...{ status: 'done', progress: 1, detail: 'It was better.', by: 'a test' },
    })
    expect(jobs.active).toBe(2)
  })

  it('are not asked for twice', async () => {
    const { works, jobs, ledger } = setUp()
    await jobs.start()
    const [first] = await jobs.queue([target('a')], wish)
    const [again] = await jobs.queue([target('a')], wish)
    expect(again!.id).toBe(first!.id)
    await settle()
    expect(works).toHaveLength(1)
    expect(await ledger.all()).toHaveLength(1)
  })

  it('are refused beyond the limit, with its name', async () => {
    const { jobs } = setUp({ waiting: 2, atOnce: 1 })
    await jobs.start()
    const many = ['a', 'b', 'c'].map((subject) => target(subject))
    await expect(jobs.queue(many, wish)).rejects.toThrow(/limits\.trainingJobs/)
  })

  it('that fail say why, and do not keep the others from running', async () => {
    const { works, jobs, ledger } = setUp({ atOnce: 1 })
    await jobs.start()
    const [failed] = await jobs.queue([target('a'), target('b')], wish)
    await settle()
    works[0]!.fail(new Error('out of memory'))
    await settle()
    expect(await ledger.get(failed!.id)).toMatchObject({ status: 'failed', detail: 'out of memory' })
    expect(works[1]!.job.target.subject).toBe('b')
  })

  it('are ended when they take too long', async () => {
    const { works, jobs, clock, ledger } = setUp()
    await jobs.start()
    const [job] = await jobs.queue([target('a')], wish)
    await settle()
    await clock.advance(60_000)
    await settle()
    expect(works[0]!.signal.aborted).toBe(true)
    expect(await ledger.get(job!.id)).toMatchObject({ status: 'failed', detail: 'It took longer than 60 s.' })
  })

  it('are cancelled while they wait and while they run, and not when they have ended', async () => {
    const { works, jobs } = setUp({ atOnce: 1 })
    await jobs.start()
    const [runs, waits] = await jobs.queue([target('a'), target('b')], wish)
    await settle()
    expect(await jobs.cancel(waits!.id, 'me')).toMatchObject({ status: 'cancelled' })
    expect(await jobs.cancel(runs!.id, 'me')).toMatchObject({
      status: 'cancelled',
      detail: 'Cancelled by me.',
    })
    expect(works[0]!.signal.aborted).toBe(true)
    await expect(jobs.cancel(runs!.id, 'me')).rejects.toThrow(/is cancelled already/)
    await expect(jobs.cancel('nothing', 'me')).rejects.toThrow(/no job "nothing"/)
    expect(jobs.active).toBe(0)
  })

  it('go on after a restart, once: one that was interrupted twice has failed', async () => {
    const before = setUp({ atOnce: 1 })
    await before.jobs.start()
    const [ran, waited] = await before.jobs.queue([target('a'), target('b')], wish)
    await settle()
    await before.jobs.stop()
    expect((await before.ledger.get(ran!.id))!.status).toBe('running')

    const second = setUp({ atOnce: 1 }, before.ledger)
    await second.jobs.start()
    await settle()
    expect(second.works.map(({ job }) => job.id)).toEqual([ran!.id])
    await second.jobs.stop()

    const third = setUp({ atOnce: 1 }, before.ledger)
    await third.jobs.start()
    await settle()
    expect(await third.ledger.get(ran!.id)).toMatchObject({
      ...{ status: 'failed', detail: 'The process ended while it ran, twice.' },
    })
    expect(third.works.map(({ job }) => job.id)).toEqual([waited!.id])
  })

  it('of a site that goes are dropped', async () => {
    const { works, jobs } = setUp({ atOnce: 1 })
    await jobs.start()
    await jobs.queue([target('a', 'gone'), target('b', 'gone'), target('c')], wish)
    await settle()
    await jobs.removeSite('gone')
    await settle()
    expect(works.map(({ job }) => job.target.subject)).toEqual(['a', 'c'])
    expect(works[0]!.signal.aborted).toBe(true)
  })
})
