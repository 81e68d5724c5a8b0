import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HubProcess, hubOrSkip, startHub } from '../servers/hub.ts'
import { temporaryFolder } from '../servers.ts'
import { alertRule, ask, expectAlert, HttpSender } from './http-sender.ts'

/** A store or the journal of a hub is deleted while it is stopped: what is left of the other, and what is told. */

const { available, reason } = hubOrSkip()

let folder: ReturnType<typeof temporaryFolder>
let hub: HubProcess | undefined
let sender: HttpSender

beforeEach(() => {
  folder = temporaryFolder('lost-store')
  sender = new HttpSender(Date.now() - 3_600_000)
})
afterEach(async () => {
  await hub?.kill()
  hub = undefined
  folder.remove()
})

const start = async (journalDays: number, more = ''): Promise<HubProcess> => {
  const config = join(folder.path, 'config.yaml')
  writeFileSync(config, `${alertRule}retention: { journalDays: ${journalDays} }\n${more}`)
  hub = await startHub({ data: join(folder.path, 'data'), config })
  return hub
}

/** A hub with readings and an alert in the middle of them, stopped in order or killed. */
async function live(journalDays: number, end: 'stop' | 'kill', more = '', batches = 5): Promise<void> {
  const hub = await start(journalDays, more)
  for (let batch = 0; batch < batches; batch++) expect(await sender.send(hub)).toMatchObject({ status: 200 })
  expect(await expectAlert(hub, 'air')).toMatchObject({ status: 200 })
  for (let batch = 0; batch < batches; batch++) await sender.send(hub)
  // the stores have all of it
  expect(await sender.readNewest(hub)).toBeDefined()
  await hub[end]()
}

const lose = (...names: readonly string[]): void => {
  for (const name of names) rmSync(join(folder.path, 'data', name), { recursive: true, force: true })
}
const readingsFiles = ['readings.duckdb', 'readings.duckdb.wal', 'readings.duckdb.undo']
const ledgerFiles = ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']

async function expectWhole(hub: HubProcess): Promise<void> {
  expect(await sender.compare(hub)).toEqual({ lost: 0, twice: 0 })
  const alerts = await ask(`${hub.url}/api/v1/alerts`)
  expect(alerts).toMatchObject({ items: [{ rule: 'stuffy', device: 'air' }] })
  const { items } = (await ask(`${hub.url}/api/v1/devices?limit=100`)) as { items: readonly { id: string }[] }
  expect(items).toHaveLength(51)
}

/** It has everything, takes readings, and after a kill it has them too and reports nothing new. */
async function expectToGoOn(hub: HubProcess): Promise<void> {
  await expectWhole(hub)
  expect(await sender.send(hub)).toMatchObject({ status: 200 })
  await hub.kill()
  const again = await start(30)
  await expectWhole(again)
  expect(await infos(again)).toHaveLength(1)
}

async function infos({ url }: HubProcess): Promise<readonly string[]> {
  const { items } = (await ask(`${url}/api/v1/infos`)) as {
    readonly items: readonly { readonly summary: string; readonly detail: string }[]
  }
  return items.map(({ summary, detail }) => `${summary} ${detail}`)
}

test.skipIf(!available).each([
  ['readings', readingsFiles, 'The store of readings was missing.'],
  ['ledger', ledgerFiles, 'The ledger was missing.'],
] as const)(
  `the %s are rebuilt from the journal, and people are told ${reason}`,
  async (_, files, summary) => {
    await live(30, 'stop')
    lose(...files)
    const hub = await start(30)
    expect(hub.output()).toContain('The journal was replayed into the stores.')
    expect(hub.output()).toContain(summary)
    expect(await infos(hub)).toEqual([
      expect.stringMatching(
        new RegExp(`^${summary} It was rebuilt from the journal, from turn 1 of \\d{4}-\\S+Z on\\.`),
      ),
    ])
    await expectToGoOn(hub)
  },
  120_000,
)

test.skipIf(!available)(
  `a store is rebuilt as far as the journal reaches ${reason}`,
  async () => {
    // the smallest segments: three of them are used, and released
    await live(0, 'stop', 'limits: { journalSegmentBytes: 262144 }\n', 25)
    lose(...readingsFiles)
    const hub = await start(0)
    const [info, ...others] = await infos(hub)
    expect(others).toEqual([])
    expect(info).toMatch(
      /^The store of readings is missing or too old\. It was rebuilt from the journal, which reaches back to turn \d+ of \S+Z\. What it held of earlier turns is lost; restore a backup to have it again\.$/,
    )
    expect(hub.output()).toContain('The store of readings is missing or too old.')
    const { lost, twice } = await sender.compare(hub)
    expect(twice).toBe(0)
    expect(lost).toBeGreaterThan(0)
    expect(lost).toBeLessThan(sender.acknowledged)
    expect(await sender.readNewest(hub)).toBeDefined()
  },
  120_000,
)

test.skipIf(!available)(
  `the hub goes on without its journal, and tells people ${reason}`,
  async () => {
    await live(30, 'stop')
    lose('journal')
    const hub = await start(30)
    const summary = 'The journal is missing.'
    expect(hub.output()).toContain(summary)
    expect(await infos(hub)).toEqual([
      expect.stringMatching(
        new RegExp(`^${summary} The stores hold everything up to turn \\d+\\. What was acknowledged in the`),
      ),
    ])
    await expectToGoOn(hub)
  },
  120_000,
)

test.skipIf(!available)(
  `a store and the journal are missing together, and people are told ${reason}`,
  async () => {
    await live(30, 'stop')
    lose('journal', ...readingsFiles)
    const hub = await start(30)
    expect(await infos(hub)).toEqual([
      expect.stringMatching(
        /^The journal is missing\. .+, and the store of readings may lack the turns before it\.$/,
      ),
    ])
    expect(await ask(`${hub.url}/api/v1/alerts`)).toMatchObject({
      items: [{ rule: 'stuffy', device: 'air' }],
    })
    expect(await sender.send(hub)).toMatchObject({ status: 200 })
  },
  120_000,
)

test.skipIf(!available)(
  `a log without its store is refused by name, not taken for an empty store ${reason}`,
  async () => {
    await live(30, 'kill')
    lose('readings.duckdb')
    await expect(start(30)).rejects.toThrow(
      /there is \S+readings\.duckdb\.wal, and not the file it belongs to/,
    )
  },
  60_000,
)
