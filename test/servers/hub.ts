import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, startProcess, stopProcess, temporaryFolder, untilReady } from '../servers.ts'

/** The built program as its user starts it, in a process of its own. */
export interface HubProcess {
  readonly url: string
  readonly port: number
  readonly mqttPort: number
  readonly pid: number
  readonly data: string
  /** Value of a metric at /metrics, summed over its labels; 0 where it is absent. */
  metric(name: string): Promise<number>
  /** Resident memory in MB: now, and the most so far. */
  memory(): { readonly now: number; readonly most: number }
  /** The last 4,000 characters that it wrote. */
  output(): string
  /** Once it has ended by itself. */
  exitCode(): number | null
  /** SIGTERM; removes the data folder where it made it itself. */
  stop(): Promise<void>
  /** SIGKILL; the folder stays. */
  kill(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
export const program = `${root}bin/homeostat.js`

/** Whether there is a built hub; it is made by `npm run build`. */
export function hubOrSkip(): { readonly available: boolean; readonly reason: string } {
  const missing = [program, `${root}dist/cli/cli.js`].filter((file) => !existsSync(file))
  if (missing.length === 0) return { available: true, reason: '' }
  const reason = `${missing.map((file) => file.slice(root.length)).join(' and ')} missing: npm run build`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return { available: false, reason }
}

/**
 * Resolves when the hub says that it is ready; rejects with its exit code and output where it ends before. Ports are free
 * ones where none are given.
 */
export async function startHub(
  options: {
    readonly data?: string
    readonly port?: number
    readonly mqttPort?: number
    readonly config?: string
    readonly limitMs?: number
    /** Further options of `serve`. */
    readonly args?: readonly string[]
    /** Default: when it is ready. */
    readonly until?: 'ready' | 'alive'
    /** Modules that are loaded before the program, and variables for them: a benchmark changes the hub with these. */
    readonly preload?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<HubProcess> {
  const made = options.data === undefined ? temporaryFolder('homeostat-data') : undefined
  const data = made?.path ?? options.data ?? ''
  const [port, mqttPort] = [options.port ?? (await freePort()), options.mqttPort ?? (await freePort())]
  const args = [
    'serve',
    '--data',
    data,
    '--port',
    String(port),
    '--mqtt-port',
    String(mqttPort),
    '--no-demo',
    ...(options.args ?? []),
  ]
  if (options.config !== undefined) args.push('--config', options.config)
  const imports = (options.preload ?? []).flatMap((module) => ['--import', module])
  const env = { ...process.env, ...options.env }
  const started = startProcess(process.execPath, [...imports, program, ...args], { cwd: root, env })
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    await stopProcess(started, 15_000)
    made?.remove()
  }
  const path = options.until === 'alive' ? '/livez' : '/readyz'
  const ready = async (): Promise<boolean> => {
    const answer = await fetch(`${url}${path}`).catch(() => undefined)
    await answer?.arrayBuffer()
    return answer?.status === 200
  }
  try {
    await untilReady(started, ready, options.limitMs ?? 30_000)
  } catch (error) {
    await stop()
    throw error
  }
  const pid = started.child.pid ?? 0
  return {
    ...{ url, port, mqttPort, pid, data, stop },
    output: () => started.tail,
    exitCode: () => started.child.exitCode,
    metric: async (name) => sumOf(await (await fetch(`${url}/metrics`)).text(), name),
    memory: () => memoryOf(pid),
    kill: async () => {
      started.child.kill('SIGKILL')
      await started.ended
    },
  }
}

/** Sum over the labels of one metric in Prometheus text. */
export function sumOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** From /proc, so on Linux only. */
function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') }
}
