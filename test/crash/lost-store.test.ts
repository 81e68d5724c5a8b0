import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HubProcess, hubOrSkip, startHub } from '../servers/hub.ts'
import { temporaryFolder } from '../servers.ts'
import { alertRule, ask, expectAlert, HttpSender } from './http-sender.ts'

/** A store or the journal of a hub is deleted while it is stopped: the start is refused, or nothing is lost. */

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

const start = async (journalDays: number, more = '', args: readonly string[] = []): Promise<HubProcess> => {
  const config = join(folder.path, 'config.yaml')
  writeFileSync(config, `${alertRule}retention: { journalDays: ${journalDays} }\n${more}`)
  hub = await startHub({ data: join(folder.path, 'data'), config, args })
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

test.skipIf(!available)(
  `the readings are rebuilt from the journal where it has all of them ${reason}`,
  async () => {
    await live(30, 'stop')
    lose(...readingsFiles)
    const hub = await start(30)
    expect(hub.output()).toContain('The journal was replayed into the stores.')
    expect(await infos(hub)).toEqual([
      expect.stringMatching(
        /^The store of readings was missing\. It was rebuilt from the journal, from turn 1 of \d{4}-\S+Z on, and lacks nothing\.$/,
      ),
    ])
    await expectToGoOn(hub)
  },
  120_000,
)

test.skipIf(!available)(
  `the readings are rebuilt also where their log was left behind ${reason}`,
  async () => {
    await live(30, 'kill')
    lose('readings.duckdb')
    await expectToGoOn(await start(30))
  },
  120_000,
)

const smallSegments = 'limits: { journalSegmentBytes: 262144 }\n'

test.skipIf(!available).each([
  [
    'readings, of which the journal has only the end',
    0,
    'stop',
    readingsFiles,
    /does not reach back to the first turn/,
  ],
  ['ledger', 30, 'stop', ledgerFiles, /the ledger .+ is missing or empty/],
  ['log of the ledger', 30, 'kill', ['ledger.db-wal'], /the ledger lacks the last \d+ changes/],
  ['journal', 30, 'stop', ['journal'], /the journal .+ is missing or empty/],
  [
    'journal and readings',
    30,
    'kill',
    ['journal', ...readingsFiles],
    /the store of readings .+ and the journal/,
  ],
] as const)(
  `a start without the %s is refused, and goes on with --accept-loss ${reason}`,
  async (_, journalDays, end, files, sentence) => {
    await live(journalDays, end, smallSegments, journalDays === 0 ? 25 : 2)
    lose(...files)
    const refusal = await start(journalDays, smallSegments).catch((error: Error) => error.message)
    expect(refusal).toMatch(sentence)
    expect(refusal).toContain('ended (6)')
    expect(refusal).not.toMatch(/\n\s+at /)
    const hub = await start(journalDays, smallSegments, ['--accept-loss'])
    expect(await sender.send(hub)).toMatchObject({ status: 200 })
    expect((await sender.compare(hub)).twice).toBe(0)
    await hub.kill()
    // the loss was accepted: it is not asked about again
    await start(journalDays, smallSegments)
  },
  120_000,
)
