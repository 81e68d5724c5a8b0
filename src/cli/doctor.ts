import { mkdir, open, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Command } from 'commander'
import { isLoopbackName } from '../api/auth.ts'
import type { Config } from '../config/load.ts'
import { createDisk } from '../platform/disk.ts'
import { findHub } from '../platform/folder.ts'
import { storesIn } from '../stores/presence.ts'
import { queryLedger } from '../stores/query.ts'
import { checkStores } from './doctor-stores.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'

type Verdict = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly what: string
  readonly verdict: Verdict
  readonly detail: string
}

const gib = 1024 ** 3

/** Adds `doctor`: looks at everything that a start needs, and changes nothing. Exit code 1 where something fails. */
export function doctorCommand(program: Command): void {
  configFlags(
    program.command('doctor').description('check configuration, ports, disk, clock and sources'),
  ).action(async (flags: ConfigFlags) => {
    const findings = await examine(flags)
    for (const { what, verdict, detail } of findings) {
      process.stdout.write(`${verdict.padEnd(5)} ${what.padEnd(14)} ${detail}\n`)
    }
    process.exitCode = findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0
  })
}

async function examine(flags: ConfigFlags): Promise<Finding[]> {
  const runtime = checkNode()
  let config: Config
  try {
    config = configOf(flags)
  } catch (error) {
    return [runtime, { what: 'configuration', verdict: 'fail', detail: messageOf(error) }]
  }
  const hub = await findHub(config.data)
  const running: Finding[] = hub ? [{ what: 'hub', verdict: 'ok', detail: `runs at ${hub.url}` }] : []
  return [
    runtime,
    { what: 'configuration', verdict: 'ok', detail: `data in ${config.data}` },
    ...running,
    await checkDisk(config.data),
    ...(await checkStores(config.data)),
    ...(hub ? [await checkRunning(hub.url)] : await checkPorts(config)),
    await checkKeys(config),
    checkClock(),
    ...(config.mqtt.enabled && config.mqtt.url !== undefined ? [await checkBroker(config.mqtt.url)] : []),
  ]
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const good = major > 20 || (major === 20 && minor >= 19)
  return {
    what: 'node',
    verdict: good ? 'ok' : 'fail',
    detail: `${process.version}${good ? '' : '; 20.19 or newer is needed'}`,
  }
}

/** Writes and syncs a file, since that is what every commit does. */
async function checkDisk(folder: string): Promise<Finding> {
  const file = join(folder, `doctor-${process.pid}.tmp`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const handle = await open(file, 'w')
    const started = performance.now()
    await handle.writeFile('x'.repeat(4096))
    await handle.sync()
    const syncMs = performance.now() - started
    await handle.close()
    const free = (await createDisk(folder).usage()).freeBytes / gib
    const verdict = free < 1 || syncMs > 200 ? 'warn' : 'ok'
    return {
      what: 'disk',
      verdict,
      detail: `${free.toFixed(1)} GiB free, a commit takes ${syncMs.toFixed(1)} ms`,
    }
  } catch (error) {
    return { what: 'disk', verdict: 'fail', detail: messageOf(error) }
  } finally {
    await rm(file, { force: true })
  }
}

async function checkPorts(config: Config): Promise<Finding[]> {
  const page = await checkPort('port', config.host, config.port, '--port N')
  if (!config.mqtt.enabled || config.mqtt.url !== undefined) return [page]
  return [page, await checkPort('mqtt port', config.mqtt.host, config.mqtt.port, '--mqtt-port N')]
}

function checkPort(what: string, host: string, port: number, option: string): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      resolve({
        what,
        verdict: 'fail',
        detail: `${host}:${port}: ${messageOf(error)}; choose another with ${option}`,
      })
    })
    server.listen(port, host, () =>
      server.close(() => resolve({ what, verdict: 'ok', detail: `${host}:${port} is free` })),
    )
  })
}

async function checkRunning(url: string): Promise<Finding> {
  const response = await fetch(new URL('/readyz', url))
  const { missing } = (await response.json()) as { missing: string[] }
  return {
    what: 'readiness',
    verdict: response.ok ? 'ok' : 'fail',
    detail: response.ok ? 'takes readings' : missing.join('; '),
  }
}

async function checkKeys(config: Config): Promise<Finding> {
  const { host, mqtt } = config
  const hosts = mqtt.enabled && mqtt.url === undefined ? [host, mqtt.host] : [host]
  const wide = hosts.find((one) => !isLoopbackName(one))
  if (wide === undefined) return { what: 'access', verdict: 'ok', detail: 'open to this machine only' }
  try {
    const keys = await countIn(config.data, 'api_keys')
    const users = await countIn(config.data, 'users')
    return keys + users > 0
      ? { what: 'access', verdict: 'ok', detail: `listens on ${wide}, ${keys} keys, ${users} users` }
      : {
          what: 'access',
          verdict: 'fail',
          detail: `listens on ${wide} without a key; run homeostat user create NAME --role admin, or homeostat key create NAME --role admin`,
        }
  } catch (error) {
    return { what: 'access', verdict: 'fail', detail: messageOf(error) }
  }
}

/** Rows of a table of the ledger; 0 where there is no ledger yet, or one that was written before there was the table. */
async function countIn(data: string, table: 'api_keys' | 'users'): Promise<number> {
  if (!(await storesIn(data)).ledger) return 0
  const known = await queryLedger(data, `select name from sqlite_master where name = '${table}'`, 1)
  return known.rows.length === 0
    ? 0
    : (await queryLedger(data, `select id from ${table}`, 1_000_000)).rows.length
}

/** A clock before this program was written was never set. */
function checkClock(): Finding {
  const now = new Date()
  const set = now.getUTCFullYear() >= 2026
  return {
    what: 'clock',
    verdict: set ? 'ok' : 'fail',
    detail: `${now.toISOString()}${set ? '' : ' lies in the past; set it'}`,
  }
}

function checkBroker(url: string): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url)
  const usual: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }
  const target = { host: hostname, port: Number(port) || (usual[protocol] ?? 1883) }
  const what = 'mqtt broker'
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: 5000 })
    const end = (verdict: Verdict, detail: string): void => {
      socket.destroy()
      resolve({ what, verdict, detail: `${target.host}:${target.port} ${detail}` })
    }
    socket.once('connect', () => end('ok', 'answers'))
    socket.once('timeout', () => end('fail', 'does not answer within 5 s'))
    socket.once('error', (error) => end('fail', messageOf(error)))
  })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
