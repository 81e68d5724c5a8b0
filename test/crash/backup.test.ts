import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HubProcess, hubOrSkip, program, startHub } from '../servers/hub.ts'
import { type Started, startProcess, temporaryFolder } from '../servers.ts'
import { alertRule, ask, expectAlert, HttpSender, post } from './http-sender.ts'

/** Backups of a hub that is written to, and backups and restores that are killed. */

const { available, reason } = hubOrSkip()

let folder: ReturnType<typeof temporaryFolder>
let hub: HubProcess | undefined
let sender: HttpSender

beforeEach(() => {
  folder = temporaryFolder('backup')
  sender = new HttpSender(Date.now() - 3_600_000)
})
afterEach(async () => {
  await hub?.kill()
  hub = undefined
  folder.remove()
})

const inFolder = (name: string): string => join(folder.path, name)

async function start(data: string): Promise<HubProcess> {
  const config = inFolder('config.yaml')
  writeFileSync(config, alertRule)
  hub = await startHub({ data: inFolder(data), config })
  return hub
}

const begin = (...args: readonly string[]): Started =>
  startProcess(process.execPath, [program, ...args], { cwd: folder.path })

async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const started = begin(...args)
  await started.ended
  return { code: started.child.exitCode, output: started.tail }
}

/** Kills the process as soon as the file is there, or lets it end. */
async function killOnce(started: Started, file: string): Promise<void> {
  while (started.child.exitCode === null && !existsSync(file)) await sleep(1)
  started.child.kill('SIGKILL')
  await started.ended
}

/** Sends readings of other series without a pause, until it is stopped. */
function ingest(hub: HubProcess): { stop(): Promise<number> } {
  let isStopped = false
  let count = 0
  const sending = (async () => {
    for (; !isStopped; count++) {
      const rows = Array.from({ length: 500 }, (_, index) => ({
        ...{ device: `h${index}`, metric: 'humidity', unit: '%' },
        ...{ value: count % 100, at: Date.now() - 1000 },
      }))
      expect(await post(hub, rows)).toMatchObject({ status: 200 })
    }
  })()
  return {
    async stop() {
      isStopped = true
      await sending
      return count
    },
  }
}

test.skipIf(!available)(
  `a backup under load has all that was acknowledged before it, and is restored whole ${reason}`,
  async () => {
    const original = await start('data')
    mkdirSync(join(original.data, 'models/home'), { recursive: true })
    writeFileSync(join(original.data, 'models/home/model.json'), '{}')
    const { secret } = (await (
      await fetch(`${original.url}/api/v1/keys`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ name: 'wall', role: 'viewer', sites: null }),
      })
    ).json()) as { readonly secret: string }
    for (let batch = 0; batch < 3; batch++) await sender.send(original)
    await expectAlert(original, 'air')
    const load = ingest(original)
    await sleep(500)
    const made = await run('backup', 'b.tar.gz', '--data', 'data')
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('and checked it') })
    expect(await load.stop()).toBeGreaterThan(0)
    await original.kill()

    expect(await run('restore', 'b.tar.gz', '--data', 'restored')).toMatchObject({ code: 0 })
    expect(await run('restore', 'b.tar.gz', '--data', 'restored')).toMatchObject({
      ...{ code: 5, output: expect.stringMatching(/^The folder \S+restored is not empty .+\n$/) },
    })
    expect(existsSync(inFolder('restored/models/home/model.json'))).toBe(true)
    const restored = await start('restored')
    expect(restored.output()).not.toContain('"level":50')
    expect(await sender.compare(restored)).toEqual({ lost: 0, twice: 0 })
    expect(await ask(`${restored.url}/api/v1/alerts`)).toMatchObject({
      items: [{ rule: 'stuffy', device: 'air' }],
    })
    const me = await fetch(`${restored.url}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } })
    expect(await me.json()).toMatchObject({ name: 'wall', role: 'viewer' })
    expect(await sender.send(restored)).toMatchObject({ status: 200 })
    expect(await sender.compare(restored)).toEqual({ lost: 0, twice: 0 })
  },
  120_000,
)

test.skipIf(!available)(
  `a backup and a restore that are killed leave nothing that looks whole ${reason}`,
  async () => {
    const original = await start('data')
    for (let batch = 0; batch < 3; batch++) await sender.send(original)
    await killOnce(begin('backup', 'b.tar.gz', '--data', 'data'), inFolder('b.tar.gz.partial'))
    expect(existsSync(inFolder('b.tar.gz'))).toBe(false)
    expect(await sender.send(original)).toMatchObject({ status: 200 })
    expect(await run('backup', 'b.tar.gz', '--data', 'data')).toMatchObject({ code: 0 })
    await original.stop()
    // of a stopped hub it is the same
    expect(await run('backup', 'c.tar.gz', '--data', 'data')).toMatchObject({ code: 0 })

    await killOnce(
      begin('restore', 'c.tar.gz', '--data', 'restored'),
      inFolder('restored/restoring/readings.duckdb'),
    )
    expect(readdirSync(inFolder('restored'))).toContain('restoring')
    const refused = await run('serve', '--data', 'restored')
    expect(refused).toMatchObject({
      code: 5,
      output: expect.stringMatching(/^A restore into \S+ was interrupted; .+\n$/),
    })
    expect(await run('restore', 'c.tar.gz', '--data', 'restored')).toMatchObject({ code: 0 })
    const restored = await start('restored')
    expect(await sender.compare(restored)).toEqual({ lost: 0, twice: 0 })
  },
  120_000,
)
