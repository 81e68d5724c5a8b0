import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hubOrSkip, program } from '../servers/hub.ts'
import { freePort, type Started, startProcess, stopProcess, temporaryFolder, untilReady } from '../servers.ts'

/** The built command line in child processes, each with an environment and a folder that nothing else reaches. */

/** Long enough for a dozen processes on two busy cores; nothing here is measured. */
export const patienceMs = 90_000

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** A folder to work in; `data` in it holds a hub, `homeostat.yaml` its configuration. */
export interface Place {
  readonly path: string
  readonly data: string
  readonly port: number
  readonly mqttPort: number
  readonly url: string
  /** Writes the configuration: these keys beside ports, and no learning. JSON is YAML. */
  configure(config: Record<string, unknown>): void
  write(name: string, text: string): string
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended>
  /** Starts `serve`; resolves when it takes readings. */
  serve(...args: string[]): Promise<Serving>
  /** Stops what runs, removes the folder. */
  clear(): Promise<void>
}

export interface Serving {
  readonly pid: number
  readonly started: Started
  /** Sends the signal; resolves with the exit code when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** A request with a JSON answer. */
  ask(path: string, options?: RequestInit): Promise<{ readonly status: number; readonly body: unknown }>
}

/** Throws where there is nothing to test. */
export function requireBuild(): void {
  const { available, reason } = hubOrSkip()
  if (!available) throw new Error(reason)
}

export async function makePlace(): Promise<Place> {
  const folder = temporaryFolder('homeostat-cli')
  const running: Started[] = []
  const [port, mqttPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const start = (args: readonly string[]): Started => {
    const { PATH } = process.env
    // nothing of this machine's configuration: neither its variables nor its files
    const env = { PATH, HOME: folder.path, TZ: 'UTC', NO_COLOR: '1' }
    const started = startProcess(process.execPath, [program, ...args], { cwd: folder.path, env })
    running.push(started)
    return started
  }
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder.path, name), text)
    return join(folder.path, name)
  }
  const configure = (config: Record<string, unknown>): void => {
    const mqtt = { port: mqttPort, ...(config['mqtt'] ?? {}) }
    const all = { port, training: { enabled: false }, simulator: { historyDays: 1 }, ...config, mqtt }
    write('homeostat.yaml', JSON.stringify(all))
  }
  configure({})
  return {
    ...{ path: folder.path, data: join(folder.path, 'data'), port, mqttPort, url, configure, write },
    async run(...args) {
      const started = start(args)
      const texts = { out: '', error: '' }
      started.child.stdout?.on('data', (chunk) => {
        texts.out += chunk
      })
      started.child.stderr?.on('data', (chunk) => {
        texts.error += chunk
      })
      const limit = setTimeout(() => started.child.kill('SIGKILL'), 30_000)
      await new Promise((resolve) => started.child.once('close', resolve))
      clearTimeout(limit)
      return { code: started.child.exitCode, ...texts }
    },
    async serve(...args) {
      const started = start(['serve', ...args])
      const ready = async (): Promise<boolean> => {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined)
        await answer?.arrayBuffer()
        return answer?.status === 200
      }
      await untilReady(started, ready, 40_000)
      return {
        pid: started.child.pid ?? 0,
        started,
        async stop(signal = 'SIGTERM') {
          started.child.kill(signal)
          await stopProcess(started, 15_000)
          return started.child.exitCode
        },
        async ask(path, options) {
          const answer = await fetch(url + path, options)
          return { status: answer.status, body: await answer.json() }
        },
      }
    },
    async clear() {
      await Promise.all(running.map((started) => stopProcess(started, 2000)))
      folder.remove()
    },
  }
}

/** A request that stores these rows. */
export const posting = (rows: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(rows),
})
