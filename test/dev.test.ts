import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { freePort, temporaryFolder } from './servers.ts'

/** `npm run dev` as a contributor uses it, without the part that installs the libraries. */

const root = fileURLToPath(new URL('..', import.meta.url))
/** Long enough for two busy cores; nothing here is measured. */
const patienceMs = 120_000
vi.setConfig({ testTimeout: 2 * patienceMs })

let dev: ChildProcess | undefined
afterEach(() => void dev?.kill('SIGTERM'))

test('dev: serves the page with the hub behind it, restarts the hub on a change, and ends as a whole', async () => {
  const folder = temporaryFolder('dev')
  const [port, pagePort] = [await freePort(), await freePort()]
  const config = join(folder.path, 'homeostat.yaml')
  const configure = (zone: string) =>
    writeFileSync(config, `site: { zone: ${zone} }\nmqtt: { enabled: false }\ndemo: { enabled: false }\n`)
  configure('Europe/Athens')
  const output: string[] = []
  dev = spawn(
    join(root, 'node_modules/.bin/tsx'),
    [
      ...['scripts/dev.ts', '--config', config, '--data', join(folder.path, 'data')],
      ...['--port', String(port), '--page-port', String(pagePort)],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  for (const stream of [dev.stdout, dev.stderr]) stream?.on('data', (text) => output.push(String(text)))
  const ask = async (at: number, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${at}${path}`).catch(() => undefined)
    return answer?.ok ? answer.text() : undefined
  }
  const wait = { timeout: patienceMs, interval: 200 }
  await expect.poll(() => ask(pagePort, '/health'), wait).toContain('"status":"healthy"')
  expect(await ask(pagePort, '/')).toContain('/src/main.tsx')
  const body = JSON.stringify([{ device: 'lamp', metric: 'power', value: 5 }])
  const headers = { 'content-type': 'application/json' }
  const url = `http://127.0.0.1:${port}/api/v1/readings`
  expect((await fetch(url, { method: 'POST', headers, body })).ok).toBe(true)
  expect(await ask(port, '/api/v1/sites')).toContain('Europe/Athens')

  configure('Asia/Kolkata')
  const other = JSON.stringify([{ site: 'office', device: 'lamp', metric: 'power', value: 5 }])
  const starts = () => output.join('').split('Stop with Ctrl+C').length - 1
  await expect.poll(starts, wait).toBe(2)
  expect((await fetch(url, { method: 'POST', headers, body: other })).ok).toBe(true)
  expect(await ask(pagePort, '/api/v1/sites')).toContain('Asia/Kolkata')

  const ended = once(dev, 'exit')
  dev.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  expect([await ask(port, '/health'), await ask(pagePort, '/')]).toEqual([undefined, undefined])
  folder.remove()
})
