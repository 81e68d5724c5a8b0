import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HubProcess, hubOrSkip, startHub } from '../servers/hub.ts'
import { mountSmallDisk, type SmallDisk, smallDiskOrSkip } from '../servers/small-disk.ts'
import { temporaryFolder } from '../servers.ts'
import { alertRule, ask, expectAlert, HttpSender } from './http-sender.ts'

/** A hub, as its user starts it, on a disk that is full: by its own readings, and by another program. */

const missing = [hubOrSkip(), smallDiskOrSkip()].filter(({ available }) => !available)
const folder = temporaryFolder('disk-full')
const config = join(folder.path, 'config.yaml')
writeFileSync(config, alertRule)
afterAll(() => folder.remove())

let disk: SmallDisk
let hub: HubProcess | undefined
let sender: HttpSender
let alerts = 0

const start = async (until: 'ready' | 'alive' = 'ready'): Promise<HubProcess> => {
  hub = await startHub({ data: disk.path, config, until })
  return hub
}

const readiness = async ({ url }: HubProcess): Promise<{ status: number; missing: string[] }> => {
  const response = await fetch(`${url}/readyz`)
  const { missing } = (await response.json()) as { missing: string[] }
  return { status: response.status, missing }
}
const ready = { status: 200, missing: [] }

/** Everything that must go on while nothing can be stored. `why`: what /readyz names. */
async function expectService(hub: HubProcess, why: RegExp): Promise<void> {
  expect(await sender.readNewest(hub)).toBeDefined()
  expect(await ask(`${hub.url}/api/v1/latest`)).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ device: 'd0' })]),
  })
  expect(await expectAlert(hub, `air-${alerts++}`)).toMatchObject({
    status: 503,
    body: { code: 'store_failed' },
  })
  const { status, missing } = await readiness(hub)
  expect([status, missing.length, missing[0]]).toEqual([503, 1, expect.stringMatching(why)])
  expect(await ask(`${hub.url}/health`)).toMatchObject({ status: 'degraded' })
}

/** How a start ends for which there is no room. */
const diskIsFull = (): RegExp =>
  new RegExp(
    `ended \\(6\\): [^]*The disk of the data folder ${disk.path} is full \\(\\d+ bytes are free; .+\\)\\. Make room on it or enlarge it, then start again; nothing that was acknowledged is lost\\.`,
  )
const journalIsFull = /^the journal cannot be written: Error: the disk is full: \S+ has \d+ bytes left/

describe.skipIf(missing.length > 0)(`on a disk of 24 MB ${missing[0]?.reason ?? ''}`, () => {
  beforeEach(() => {
    disk = mountSmallDisk(24)
    sender = new HttpSender(Date.now() - 3_600_000)
  })
  afterEach(async () => {
    await hub?.kill()
    hub = undefined
    disk.remove()
  })

  test('that fills up the hub serves, heals without a restart and a request, and loses nothing', async () => {
    const hub = await start()
    expect(await sender.sendUntilRefused(hub, 1000)).toMatchObject({
      status: 503,
      body: { code: 'store_failed', detail: expect.stringContaining('the disk is full') },
    })
    expect(sender.acknowledged).toBeGreaterThan(100_000)
    await expectService(hub, journalIsFull)
    expect(await hub.metric('homeostat_journal_lag_frames')).toBe(0)
    expect(await hub.metric('homeostat_journal_bytes')).toBeGreaterThan(4_000_000)

    disk.fill()
    await expectService(hub, journalIsFull)
    // meanwhile nobody sends
    await expect.poll(() => hub.metric('homeostat_disk_used_ratio'), { timeout: 12_000 }).toBe(1)
    expect(hub.output()).toContain('The disk of the data folder is 100 % full.')
    expect(await readiness(hub)).toMatchObject({ status: 503 })

    disk.resize(64)
    await expect.poll(() => readiness(hub), { timeout: 10_000 }).toEqual(ready)
    for (let batch = 0; batch < 5; batch++) expect(await sender.send(hub)).toMatchObject({ status: 200 })
    await hub.kill()
    expect(await sender.compare(await start())).toEqual({ lost: 0, twice: 0 })
  }, 180_000)

  test('that is full the hub stops, starts, serves, and heals', async () => {
    const filled = await start()
    await sender.sendUntilRefused(filled, 1000)
    disk.fill()
    await filled.stop()
    expect(filled.exitCode()).toBe(0)
    // on the room that is kept for it
    const restarted = await start('alive')
    await expectService(restarted, journalIsFull)
    await restarted.kill()
    await expectService(await start('alive'), journalIsFull)
    disk.empty()
    disk.resize(64)
    await expect.poll(() => readiness(hub!), { timeout: 10_000 }).toEqual(ready)
    expect(await sender.send(hub!)).toMatchObject({ status: 200 })
    expect(await sender.compare(hub!)).toEqual({ lost: 0, twice: 0 })
  }, 180_000)

  test('that another program filled the journal still takes readings, and the stores follow when there is room', async () => {
    const hub = await start()
    await sender.send(hub)
    expect(await sender.readNewest(hub)).toBeDefined()
    disk.fill()
    expect(await sender.sendUntilRefused(hub, 200)).toMatchObject({ status: 503 })
    const { acknowledged } = sender
    expect(acknowledged).toBeGreaterThan(50_000)
    const { missing } = await readiness(hub)
    expect(missing[0]).toMatch(/No space left|the disk is full/)
    expect(await hub.metric('homeostat_journal_lag_frames')).toBeGreaterThan(10)
    expect(await hub.metric('homeostat_projections_failed_total')).toBeGreaterThan(0)
    await expectAlert(hub, 'air')
    // the stores have what came before
    expect(await ask(`${hub.url}/api/v1/readings?limit=5`)).toMatchObject({ items: { length: 5 } })

    // the store of readings needs room for what it lacks: without it the hub says so, and does not start
    await hub.kill()
    disk.fill()
    await expect(start()).rejects.toThrow(diskIsFull())
    disk.empty()
    const again = await start()
    expect(await sender.compare(again)).toEqual({ lost: 0, twice: 0 })

    disk.fill()
    await sender.sendUntilRefused(again, 500)
    expect(sender.acknowledged).toBeGreaterThan(acknowledged)
    disk.empty()
    disk.resize(64)
    await expect.poll(() => readiness(again), { timeout: 10_000 }).toEqual(ready)
    await expect.poll(() => again.metric('homeostat_journal_lag_frames'), { timeout: 10_000 }).toBe(0)
    expect(await sender.compare(again)).toEqual({ lost: 0, twice: 0 })
  }, 180_000)

  test('without a byte, and without the room that is kept, the hub says so in a sentence', async () => {
    const first = await start()
    await expect.poll(() => existsSync(join(disk.path, 'reserve'))).toBe(true)
    await first.kill()
    disk.fill()
    await (await start('alive')).kill()
    disk.fill()
    await expect(start()).rejects.toThrow(diskIsFull())
    disk.empty()
    await start()
  }, 60_000)

  test('that is mounted read-only the hub says so in a sentence', async () => {
    await (await start()).stop()
    disk.makeReadOnly()
    await expect(start()).rejects.toThrow(
      `ended (6): The data folder ${disk.path} cannot be written: its disk is mounted read-only; mount it for writing, or choose another folder with --data.`,
    )
    disk.makeWritable()
    await start()
  }, 60_000)
})
