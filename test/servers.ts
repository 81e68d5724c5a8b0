import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/**
 * Real servers for tests and benchmarks: each on a free loopback port, in a folder of its own, stopped by its pid.
 * Whatever is left when the process ends (a failed test, an interrupt) is killed and removed by an exit hook.
 */

export interface RunningServer {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Its data; removed by `stop`. */
  readonly folder: string
  stop(): Promise<void>
}

export type ServerName = 'mosquitto' | 'influxd' | 'redis-server' | 'postgres'

/** Where a server's program is, or why there is none. Under CI=true a missing one is an error, not a skip. */
export function serverOrSkip(name: ServerName): { readonly available: boolean; readonly reason: string } {
  if (programOf(name) !== undefined) return { available: true, reason: '' }
  const reason = `${name} is not installed on this machine (Debian: apt-get install ${packages[name]})`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return { available: false, reason }
}

const packages: Readonly<Record<ServerName, string>> = {
  mosquitto: 'mosquitto',
  influxd: 'influxdb',
  'redis-server': 'redis-server',
  postgres: 'postgresql',
}

/** A loopback port that nobody listens on now, and that this process has not been given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.on('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
      })
    })
    if (given.has(port)) continue
    given.add(port)
    return port
  }
}

const given = new Set<number>()

/** A new empty folder; `remove` may be left out, the exit hook does it then. */
export function temporaryFolder(name = 'homeostat'): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`))
  hookExit()
  folders.add(path)
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
    folders.delete(path)
  }
  return { path, remove }
}

/** Mosquitto without limits on its queues, so that what it takes reaches the subscribers. */
export async function startMosquitto(extraConfig = ''): Promise<RunningServer> {
  const [port, folder] = [await freePort(), temporaryFolder('mosquitto')]
  const config = join(folder.path, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'log_dest stderr',
    'log_type error',
    extraConfig,
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  const child = startProcess(program('mosquitto'), ['-c', config])
  return running(child, port, `mqtt://127.0.0.1:${port}`, folder)
}

/** InfluxDB 1.x with its defaults, without self-monitoring and request log. */
export async function startInflux(): Promise<RunningServer> {
  const [port, rpcPort, folder] = [await freePort(), await freePort(), temporaryFolder('influxd')]
  const config = join(folder.path, 'influxdb.conf')
  const text = `
reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${folder.path}/meta"
[data]
  dir = "${folder.path}/data"
  wal-dir = "${folder.path}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
  suppress-logo = true
`
  await writeFile(config, text)
  const child = startProcess(program('influxd'), ['run', '-config', config])
  return running(child, port, `http://127.0.0.1:${port}`, folder)
}

export async function startRedis(): Promise<RunningServer> {
  const [port, folder] = [await freePort(), temporaryFolder('redis')]
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--save', '']
  const child = startProcess(program('redis-server'), [...options, '--loglevel', 'warning'])
  return running(child, port, `redis://127.0.0.1:${port}`, folder)
}

/** PostgreSQL with the role and database `homeostat`, no password. It refuses root: then it runs as its own user. */
export async function startPostgres(): Promise<RunningServer> {
  const [port, folder] = [await freePort(), temporaryFolder('postgres')]
  const user = process.getuid?.() === 0 ? systemUser('postgres') : undefined
  if (user) chownSync(folder.path, user.uid, user.gid)
  const data = join(folder.path, 'data')
  const server = program('postgres')
  const initdb = spawnSync(
    server.replace(/postgres$/, 'initdb'),
    ['-D', data, '-U', 'homeostat', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: folder.path, encoding: 'utf8' },
  )
  if (initdb.status !== 0) throw new Error(`initdb: ${initdb.stderr || initdb.error?.message}`)
  const options = ['-D', data, '-p', String(port), '-k', folder.path, '-c', 'listen_addresses=127.0.0.1']
  const child = startProcess(server, options, { ...user, cwd: folder.path })
  const started = await running(child, port, `postgres://homeostat@127.0.0.1:${port}/postgres`, folder)
  return started
}

/** Starts a program whose end this process answers for. Its last output stands in errors. */
export function startProcess(
  file: string,
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly uid?: number
    readonly gid?: number
    readonly env?: NodeJS.ProcessEnv
  } = {},
): Started {
  hookExit()
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  const started: Started = { child, tail: '', ended: Promise.resolve() }
  const keep = (chunk: Buffer): void => {
    started.tail = (started.tail + chunk.toString()).slice(-4000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  started.ended = new Promise((resolve) => {
    child.once('error', (error) => {
      started.tail += error.message
      children.delete(child)
      resolve()
    })
    child.once('exit', () => {
      children.delete(child)
      resolve()
    })
  })
  return started
}

export interface Started {
  readonly child: ChildProcess
  /** The last 4,000 characters of its output. */
  tail: string
  ended: Promise<void>
}

/** Asks the process to end, kills it after `graceMs`; resolves when it is gone. */
export async function stopProcess(started: Started, graceMs = 5000): Promise<void> {
  if (started.child.exitCode === null && started.child.signalCode === null) started.child.kill('SIGTERM')
  const timer = setTimeout(() => started.child.kill('SIGKILL'), graceMs)
  await started.ended
  clearTimeout(timer)
}

/** Resolves when `ready` says true; rejects when the process ends first or `limitMs` have passed. */
export async function untilReady(
  started: Started,
  ready: () => Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await ready())) {
    const { exitCode, signalCode } = started.child
    if (exitCode !== null || signalCode !== null || started.child.pid === undefined) {
      throw new Error(`${started.child.spawnfile} ended (${exitCode ?? signalCode}): ${started.tail}`)
    }
    if (performance.now() > end) throw new Error(`${started.child.spawnfile} is not ready: ${started.tail}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether something accepts connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function running(
  started: Started,
  port: number,
  url: string,
  folder: { readonly path: string; remove(): void },
): Promise<RunningServer> {
  const stop = async (): Promise<void> => {
    await stopProcess(started)
    folder.remove()
  }
  try {
    await untilReady(started, () => accepts(port))
  } catch (error) {
    await stop()
    throw error
  }
  return { port, url, pid: started.child.pid ?? 0, folder: folder.path, stop }
}

function program(name: ServerName): string {
  const found = programOf(name)
  if (found === undefined) throw new Error(serverOrSkip(name).reason)
  return found
}

function programOf(name: ServerName): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  // Debian keeps each major version of PostgreSQL, with initdb beside it, in a folder of its own
  if (name === 'postgres') places.unshift(...debianPostgres())
  return places.map((place) => join(place, name)).find((file) => existsSync(file))
}

function debianPostgres(): string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(root, version, 'bin'))
}

function systemUser(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name}:`))
  const [, , uid, gid] = (line ?? '').split(':')
  if (uid === undefined) throw new Error(`there is no user ${name} to run the server as`)
  return { uid: Number(uid), gid: Number(gid) }
}

const children = new Set<ChildProcess>()
const folders = new Set<string>()
let hooked = false

function hookExit(): void {
  if (hooked) return
  hooked = true
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
}
