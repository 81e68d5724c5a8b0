import { expect, test } from 'vitest'
import { dayMs, quarterMs } from '../../src/core/time.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** Rebuilds in the list of jobs. */

const now = Date.parse('2026-03-02T12:00:00Z')
const powerFrom = (site: string, from: number, days: number) =>
  Array.from({ length: (days * dayMs) / quarterMs }, (_, quarter) => ({
    ...{ site, device: 'heater', metric: 'power', value: 1000, at: from + quarter * quarterMs },
  }))

test('jobs: a rebuild is listed while it runs and when it is done, to those who reach its site', async () => {
  const clock = new VirtualClock(now)
  const memory = createMemoryReadings()
  let isHeld = false
  let release = (): void => undefined
  const readings = {
    ...memory,
    async *scan(...asked: Parameters<typeof memory.scan>) {
      if (isHeld) await new Promise<void>((resolve) => (release = resolve))
      yield* memory.scan(...asked)
    },
  }
  const hub = await startTestHub({ clock, readings })
  const secret = await hub.key('viewer', ['lodge'])
  const jobs = async (query = '') =>
    (await hub.ask({ url: `/api/v1/jobs?${query}`, secret })).json().items as {
      kind: string
      status: string
      progress: number
      target: unknown
    }[]
  await hub.push(powerFrom('lodge', now - 2 * dayMs, 2))
  isHeld = true
  // late: three months before what the monitor has seen
  await hub.push(powerFrom('lodge', now - 100 * dayMs, 90))
  await clock.advance(5000)
  await expect.poll(() => jobs('status=running')).toMatchObject([{ kind: 'rebuild', progress: 0 }])
  expect(await jobs('kind=train')).toEqual([])
  expect(await jobs('kind=rebuild')).toMatchObject([{ target: { site: 'lodge', subject: 'heater' } }])
  const other = await hub.key('viewer', ['home'])
  expect((await hub.ask({ url: '/api/v1/jobs', secret: other })).json().items).toEqual([])

  release()
  let seen = 0
  await expect
    .poll(async () => {
      release()
      await clock.advance(5000)
      const [job] = await jobs('kind=rebuild')
      expect(job!.progress).toBeGreaterThanOrEqual(seen)
      seen = job!.progress
      return job!.status
    })
    .toBe('done')
  expect(await jobs('status=running')).toEqual([])
  expect(hub.errors).toEqual([])
  await hub.close()
})

test('jobs: a rebuild that fails says why', async () => {
  const clock = new VirtualClock(now)
  const memory = createMemoryReadings()
  let isBroken = false
  const readings = {
    ...memory,
    scan(...asked: Parameters<typeof memory.scan>) {
      if (isBroken) throw new Error('the disk refused to read')
      return memory.scan(...asked)
    },
  }
  const hub = await startTestHub({ clock, readings, open: true })
  await hub.push(powerFrom('home', now - 2 * dayMs, 2))
  isBroken = true
  await hub.push(powerFrom('home', now - 10 * dayMs, 2))
  const jobs = async () => (await hub.ask({ url: '/api/v1/jobs?kind=rebuild' })).json().items
  await expect
    .poll(async () => {
      await clock.advance(5000)
      return jobs()
    })
    .toMatchObject([{ status: 'failed', detail: expect.stringContaining('the disk refused to read') }])
  isBroken = false
  await expect
    .poll(async () => {
      await clock.advance(60_000)
      return jobs()
    })
    .toMatchObject([{ status: 'done' }, { status: 'failed' }])
  await hub.close()
})
