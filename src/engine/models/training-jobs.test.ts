import { describe, expect, it } from 'vitest'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import type { Job } from '../../core/life.ts'
import type { JobLedger } from '../../core/ports.ts'
import type { Target } from '../../core/target.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { TrainingJobs, type TrainingJobsOptions } from './training-jobs.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const usual: TrainingJobsOptions = { atOnce: 2, waiting: 10, jobMs: 60_000, heldMs: 3_600_000 }
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
function setUp(options: Partial<TrainingJobsOptions> = {}, ledger: JobLedger = createMemoryLedger().jobs) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  const held = new Set<string>()
  const works: Work[] = []
  const jobs = new TrainingJobs(
    {
      ...{ ledger, clock, log: silent },
      isHeld: ({ subject }) => held.has(subject),
      work: (job, signal, progress) =>
        new Promise((done, fail) => {
          works.push({ job, signal, progress, done, fail })
          signal.addEventListener('abort', () => fail(signal.reason))
        }),
    },
    { ...usual, ...options },
  )
  return { clock, works, jobs, ledger, held }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
}

describe('trainings', () => {
  it('of a held target wait and let others pass, and run once it is held no longer', async () => {
    const { works, jobs, held } = setUp({ atOnce: 1 })
    held.add('a')
    await jobs.start()
    await jobs.queue([target('a'), target('b')], wish)
    await settle()
    expect(works.map(({ job }) => job.target.subject)).toEqual(['b'])
    works[0]!.done('It was better.')
    await settle()
    expect(works).toHaveLength(1)
    held.clear()
    jobs.look()
    await settle()
    expect(works.map(({ job }) => job.target.subject)).toEqual(['b', 'a'])
  })

  it('of a target that stays held wait no longer than the longest wait', async () => {
    const { works, jobs, held, clock } = setUp({ heldMs: 60_000 })
    held.add('a')
    await jobs.start()
    await jobs.queue([target('a')], wish)
    await clock.advance(59_000)
    await settle()
    expect(works).toEqual([])
    await clock.advance(1_000)
    await settle()
    expect(works.map(({ job }) => job.target.subject)).toEqual(['a'])
  })

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

/** A ledger whose writes wait or fail as the test says. */
function heldLedger() {
  const ledger = createMemoryLedger().jobs
  const waiting: (() => void)[] = []
  const state = { holds: (_: Job): boolean => false, fails: (_: Job): boolean => false }
  const put: JobLedger['put'] = async (jobs) => {
    if (jobs.some(state.holds)) await new Promise<void>((resolve) => waiting.push(resolve))
    if (jobs.some(state.fails)) throw new Error('disk full')
    await ledger.put(jobs)
  }
  const release = async (): Promise<void> => {
    state.holds = () => false
    for (const resolve of waiting.splice(0)) resolve()
    await settle()
  }
  return { state, release, ledger: { ...ledger, put } }
}

const openJobs = (ledger: JobLedger): Promise<Job[]> => ledger.all({ status: ['queued', 'running'] })

describe('training jobs: two requests of the same target', () => {
  it.each<[how: string, queue: (jobs: TrainingJobs) => Promise<Job[]>[]]>([
    ['in two calls at once', (jobs) => [jobs.queue([target('a')], wish), jobs.queue([target('a')], wish)]],
    ['in one call', (jobs) => [jobs.queue([target('a'), target('a')], wish)]],
    [
      'in two calls that overlap with others',
      (jobs) => [
        jobs.queue([target('b'), target('a')], wish),
        jobs.queue([target('a'), target('c')], wish),
        jobs.queue([target('c')], wish),
      ],
    ],
  ])('give one job and one training %s', async (_, queue) => {
    const held = heldLedger()
    const { jobs, works } = setUp({ atOnce: 9 }, held.ledger)
    await jobs.start()
    held.state.holds = () => true
    const calls = queue(jobs)
    await settle()
    await held.release()
    const ids = new Map<string, string>()
    for (const job of (await Promise.all(calls)).flat()) {
      const { subject } = job.target
      expect(job.id).toBe(ids.get(subject) ?? job.id)
      ids.set(subject, job.id)
    }
    await settle()
    expect(works.map(({ job }) => job.id).toSorted()).toEqual([...ids.values()].toSorted())
    for (const { done } of works) done('Done.')
    await settle()
    // none is left that would run after the next start
    expect(await openJobs(held.ledger)).toEqual([])
    expect(await held.ledger.all()).toHaveLength(ids.size)
  })

  it('are one training after a restart, where an older version stored two jobs', async () => {
    const ledger = createMemoryLedger().jobs
    const old = {
      ...({ kind: 'train', target: target('a'), status: 'queued', progress: 0 } as const),
      ...wish,
    }
    await ledger.put([
      { ...old, id: 'first', detail: '', createdAt: 1 },
      { ...old, id: 'second', detail: '', createdAt: 2 },
    ])
    const { jobs, works } = setUp({}, ledger)
    await jobs.start()
    await settle()
    works[0]!.done('Done.')
    await settle()
    expect(works.map(({ job }) => job.id)).toEqual(['first'])
    expect(await ledger.get('second')).toMatchObject({
      ...{ status: 'cancelled', detail: 'The job first is the same.' },
    })
  })
})

describe('training jobs: a stop or a cancel', () => {
  it('keeps a job whose call was under way for the next start, and refuses calls after a stop', async () => {
    const held = heldLedger()
    const { jobs, works } = setUp({}, held.ledger)
    await jobs.start()
    held.state.holds = () => true
    const [early, late] = [jobs.queue([target('a')], wish), jobs.queue([target('b')], wish)]
    const refused = expect(late).rejects.toMatchObject({ code: 'stopping' })
    await settle()
    const stopped = jobs.stop()
    await held.release()
    await Promise.all([stopped, refused])
    const [job] = await early
    expect(job).toMatchObject({ status: 'queued' })
    await expect(jobs.queue([target('c')], wish)).rejects.toMatchObject({ code: 'stopping' })
    expect({ runs: jobs.areRun, works: works.length }).toEqual({ runs: false, works: 0 })
    expect((await openJobs(held.ledger)).map(({ id }) => id)).toEqual([job!.id])

    const next = setUp({}, held.ledger)
    await next.jobs.start()
    await settle()
    expect(next.works.map((work) => work.job.id)).toEqual([job!.id])
  })

  it.each<[what: string, end: (jobs: TrainingJobs, id: string) => Promise<unknown>, left: string]>([
    ['is stopped', (jobs) => jobs.stop(), 'running'],
    ['is cancelled', (jobs, id) => jobs.cancel(id, 'me'), 'cancelled'],
  ])('does not begin a training that %s while its status is stored', async (_, end, left) => {
    const held = heldLedger()
    const { jobs, works } = setUp({}, held.ledger)
    await jobs.start()
    held.state.holds = ({ status }) => status === 'running'
    const [job] = await jobs.queue([target('a')], wish)
    await settle()
    const ended = end(jobs, job!.id)
    await settle()
    await held.release()
    await ended
    expect(works).toEqual([])
    expect(await held.ledger.get(job!.id)).toMatchObject({ status: left })
  })
})

describe('training jobs: while the training of another site runs on', () => {
  it.each<[what: string, run: (jobs: TrainingJobs, id: string) => Promise<unknown>]>([
    ['a job is cancelled', (jobs, id) => jobs.cancel(id, 'me')],
    ['a site is removed', (jobs) => jobs.removeSite('home')],
  ])('%s', async (_, run) => {
    const { jobs, works } = setUp()
    await jobs.start()
    const [job] = await jobs.queue([target('a'), target('b', 'cabin')], wish)
    await settle()
    expect(works.map((work) => work.job.target.site)).toEqual(['home', 'cabin'])
    let ended = false
    void run(jobs, job!.id).then(() => {
      ended = true
    })
    await settle()
    expect(ended).toBe(true)
    expect(works.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(jobs.has(target('b', 'cabin'))).toBe(true)
  })
})

describe('training jobs: a cancel', () => {
  it('that the ledger does not take at first is stored with the second attempt', async () => {
    const held = heldLedger()
    const { jobs, works } = setUp({}, held.ledger)
    await jobs.start()
    const [job] = await jobs.queue([target('a')], wish)
    await settle()
    let failures = 1
    held.state.fails = ({ status }) => status === 'cancelled' && failures-- > 0
    expect(await jobs.cancel(job!.id, 'me')).toMatchObject({ status: 'cancelled' })
    expect(await openJobs(held.ledger)).toEqual([])
    expect(works).toHaveLength(1)
  })

  it('that the ledger does not take at all is rejected, rather than undone by the next start', async () => {
    const held = heldLedger()
    const { jobs } = setUp({}, held.ledger)
    await jobs.start()
    const [job] = await jobs.queue([target('a')], wish)
    await settle()
    held.state.fails = ({ status }) => status === 'cancelled'
    await expect(jobs.cancel(job!.id, 'me')).rejects.toThrow('disk full')
  })
})
