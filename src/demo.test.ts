import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestHub } from '../test/hub.ts'
import { loadConfig } from './config/load.ts'
import type { ReadingStore } from './core/ports.ts'
import type { Reading } from './core/reading.ts'
import { isDerived } from './core/series.ts'
import { dayMs } from './core/time.ts'
import { Demo, pastOf } from './demo.ts'
import { domains } from './domains/index.ts'
import { createMemoryLedger } from './stores/ledger/memory.ts'
import { createMemoryReadings } from './stores/readings/memory.ts'

/** The demo home on a hub that is started again and again over the same stores. */

const quarterMs = 15 * 60_000
const historyDays = 6

let folder: string
let readings: ReadingStore
let ledger: ReturnType<typeof createMemoryLedger>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-demo-'))
  readings = createMemoryReadings()
  ledger = createMemoryLedger()
})
afterEach(() => rmSync(folder, { recursive: true }))

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Runs the demo until `isEnough`, then stops the hub. */
async function serve(isEnough: (detail: string) => boolean | Promise<boolean>, disk = readings) {
  const hub = await startTestHub({ readings: disk, ledger })
  const flags = { data: folder, 'simulator.historyDays': historyDays }
  await new Demo(hub.engine, loadConfig({ cwd: folder, env: {}, flags, domains }), silent).startIfWanted()
  const detail = (): string => hub.engine.sources().find(({ name }) => name === 'simulator')?.detail ?? ''
  await expect.poll(() => isEnough(detail()), { timeout: 20_000, interval: 5 }).toBe(true)
  await hub.close()
}

/** Runs the demo until so many batches are stored. */
async function cutAfter(batches: number): Promise<void> {
  let taken = 0
  const append = async (rows: readonly Reading[]): Promise<void> => {
    // what is derived again comes in turns of its own
    if (rows.every(({ device }) => isDerived(device))) return readings.append(rows)
    if (taken++ >= batches) throw new Error('The disk is full.')
    await readings.append(rows)
  }
  await serve(() => taken > batches, { ...readings, append })
}

const isDone = async (detail: string): Promise<boolean> =>
  detail === 'live' && (await all('energy_total'))[0]!.at <= Date.now() - (historyDays - 0.1) * dayMs

/** What was measured; derived series follow from it. */
const all = async (metric?: string): Promise<Reading[]> =>
  (await readings.read(metric === undefined ? {} : { metric }, 1_000_000)).filter(
    ({ device }) => !isDerived(device),
  )

async function expectWhole(): Promise<void> {
  const counters = await all('energy_total')
  const devices = new Set(counters.map(({ device }) => device))
  expect(devices.size).toBe(15)
  for (const device of devices) {
    const counted = counters.filter((reading) => reading.device === device)
    for (let i = 1; i < counted.length; i++) {
      const [before, after] = [counted[i - 1]!, counted[i]!]
      const kwh = after.value - before.value
      expect(kwh, `${device} ${new Date(after.at).toISOString()}`).toBeGreaterThanOrEqual(0)
      // no house takes 25 kW
      expect(kwh).toBeLessThan(0.01 + (25 * (after.at - before.at)) / 3.6e6)
    }
  }
  const times = counters.map(({ at }) => at)
  const holes = times.filter((at, i) => at - (times[i - 1] ?? at) > quarterMs)
  expect(holes).toEqual([])
  const power = (await all('pv_power')).map(({ at }) => at)
  expect(power.length).toBeGreaterThan(historyDays * 90)
}

describe('the demo home', () => {
  test('has lived for days when the hub has run for a moment, without a hole', async () => {
    await serve(isDone)
    await expectWhole()
  })

  test('goes on with its counters when the hub is started again', async () => {
    await serve(isDone)
    await serve(isDone)
    await serve(isDone)
    await expectWhole()
  })

  // four are the newest days, three the older ones, and then come their counters
  test.each([1, 4, 6, 8])(
    'completes the past that a hub left out which ended after %d batches',
    async (batches) => {
      await cutAfter(batches)
      const before = await all('energy_total')
      expect(before.at(0)?.at ?? Date.now()).toBeGreaterThan(Date.now() - (historyDays - 0.02) * dayMs)
      await serve(isDone)
      await expectWhole()
    },
  )

  test('completes it from where it began, however much later', async () => {
    await cutAfter(8)
    const [oldest] = await all()
    const [counted] = await all('energy_total')
    const hub = await startTestHub({ readings, ledger })
    const { older } = await pastOf(hub.engine, Date.now() + 1.3 * dayMs, historyDays * dayMs)
    await hub.close()
    expect(older).toMatchObject({ from: oldest?.at, to: counted?.at })
  })

  test('tells nothing again that is there already, but the step that may have been cut short', async () => {
    await serve(isDone)
    const before = await all()
    const lastAt = before.at(-1)?.at ?? 0
    await serve(isDone)
    const old = (readings: readonly Reading[]): Reading[] => readings.filter(({ at }) => at < lastAt)
    expect(old(await all())).toEqual(old(before))
  })
})

test('goes for good with a real reading that arrives while it is being set up again', async () => {
  await serve((detail) => detail !== '')
  const hub = await startTestHub({ readings, ledger })
  const config = loadConfig({ cwd: folder, env: {}, flags: { data: folder }, domains })
  const starting = new Demo(hub.engine, config, silent).startIfWanted()
  await hub.push([{ device: 'lamp', metric: 'power', value: 1 }])
  await starting
  const left = async (): Promise<unknown[]> => [
    hub.engine.sites().some(({ demo }) => demo),
    await readings.read({ sites: ['demo'] }, 1),
  ]
  await expect.poll(left, { timeout: 20_000 }).toEqual([false, []])
  await hub.close()
})
