import { expect, test } from 'vitest'
import { VirtualClock } from '../../test/virtual-clock.ts'
import { RebuildJobs } from './rebuild-jobs.ts'

const start = Date.parse('2026-03-02T12:00:00Z')
const target = (subject: string, site = 'home') => ({ site, domain: 'energy', subject })

test('rebuild jobs: one a target, with its progress over all its pieces, until nothing is left', async () => {
  const clock = new VirtualClock(start)
  const jobs = new RebuildJobs(clock, 10)
  jobs.left(target('fridge'), 400)
  jobs.left(target('fridge'), 100)
  expect(jobs.all()).toMatchObject([
    { kind: 'rebuild', target: target('fridge'), status: 'running', progress: 0.75, startedAt: start },
  ])
  // more became dirty meanwhile
  jobs.left(target('fridge'), 800)
  expect(jobs.all()).toMatchObject([{ status: 'running', progress: 0 }])
  await clock.advance(1000)
  jobs.left(target('fridge'), 0)
  expect(jobs.all()).toMatchObject([{ status: 'done', progress: 1, endedAt: start + 1000 }])
  jobs.left(target('oven'), 0)
  expect(jobs.all()).toHaveLength(1)
})

test('rebuild jobs: a failure ends a job, the next attempt is another', () => {
  const jobs = new RebuildJobs(new VirtualClock(start), 10)
  jobs.left(target('fridge'), 400)
  jobs.failed(target('fridge'), 'The disk refused.')
  jobs.left(target('fridge'), 400)
  const all = jobs.all()
  expect(all.map(({ status, detail }) => [status, detail])).toEqual([
    ['failed', 'The disk refused.'],
    ['running', 'Derives its history again.'],
  ])
  expect(new Set(all.map(({ id }) => id)).size).toBe(2)
})

test('rebuild jobs: keep so many that ended, the last of each target, and none of a removed site', async () => {
  const clock = new VirtualClock(start)
  const jobs = new RebuildJobs(clock, 2)
  for (const subject of ['a', 'b', 'c', 'c']) {
    jobs.left(target(subject), 1)
    jobs.left(target(subject), 0)
    await clock.advance(1000)
  }
  expect(jobs.all().map((job) => job.target.subject)).toEqual(['c', 'b'])
  jobs.left(target('a', 'lodge'), 1)
  jobs.removeSite('home')
  expect(jobs.all().map((job) => job.target.site)).toEqual(['lodge'])
  jobs.removeSite('lodge')
  expect(jobs.all()).toEqual([])
})
