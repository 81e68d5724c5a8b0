/**
 * `npm run dev`: the hub from source, started again after each change, and the page with the hub behind it. Arguments go
 * to `homeostat serve`, except `--page-port N`. Ends as a whole: with Ctrl+C, or when a part of it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config/load.ts'
import { domains } from '../src/domains/index.ts'

/** A part that takes longer to stop is killed; the hub itself gives up after 10 s. */
const stopMsMax = 12_000

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, tokens } = parseArgs({
  args: process.argv.slice(2),
  options: { config: { type: 'string' }, port: { type: 'string' }, 'page-port': { type: 'string' } },
  strict: false,
  tokens: true,
})
const { config, port, 'page-port': pagePort } = values
const file = typeof config === 'string' ? config : undefined
const hubPort =
  typeof port === 'string' ? port : loadConfig({ file, cwd: process.cwd(), env: process.env, domains }).port

const pageAt = tokens.find((token) => token.kind === 'option' && token.name === 'page-port')?.index ?? -1
const isInline = process.argv[pageAt + 2]?.includes('=') === true
const hubArgs = process.argv.slice(2)
if (pageAt >= 0) hubArgs.splice(pageAt, isInline ? 1 : 2)

const parts = [
  start('tsx', [
    ...['watch', '--clear-screen=false', '--include', join(root, 'src/**/*')],
    ...['--include', file ?? 'homeostat.yaml', join(root, 'scripts/dev-hub.ts'), 'serve', ...hubArgs],
  ]),
  start('vite', [
    ...['--config', join(root, 'web/vite.config.ts'), '--clearScreen', 'false', '--host', '127.0.0.1'],
    ...(typeof pagePort === 'string' ? ['--port', pagePort, '--strictPort'] : []),
  ]),
]

let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0))
for (const part of parts) part.once('exit', () => stop(1))

/** In a process group of its own, so that Ctrl+C reaches this process alone, and a signal all of the part. */
function start(name: string, args: readonly string[]): ChildProcess {
  return spawn(join(root, 'node_modules', '.bin', name), args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    // the pool that `bin/homeostat.js` sets; see there
    env: { UV_THREADPOOL_SIZE: '8', ...process.env, DEV_HUB_URL: `http://127.0.0.1:${hubPort}` },
  })
}

function stop(code: number): void {
  if (isStopping) return
  isStopping = true
  void Promise.all(parts.map(end)).then(() => process.exit(code))
}

async function end({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return
  const limit = Date.now() + stopMsMax
  for (let isThere = signalGroup(pid, 'SIGTERM'); isThere; isThere = signalGroup(pid, 0)) {
    if (Date.now() > limit) signalGroup(pid, 'SIGKILL')
    await sleep(50)
  }
}

/** False where nothing of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}
