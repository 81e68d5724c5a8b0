import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { freePort, temporaryFolder } from '../servers.ts'

/** The built hub as its own process, and a real browser to look at its page. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Long enough for two busy cores; nothing here is measured. */
export const patienceMs = 60_000

export interface Hub {
  readonly url: string
  readonly mqttPort: number
  readonly secret: string | undefined
  stop(): Promise<void>
}

/** A hub in a folder of its own; `key` asks for an admin key and makes one. */
export async function startHub({ key = false } = {}): Promise<Hub> {
  const [port, mqttPort, folder] = [await freePort(), await freePort(), temporaryFolder('page')]
  const secret = key ? createKey(folder.path) : undefined
  const options = ['--data', folder.path, '--port', String(port), '--mqtt-port', String(mqttPort)]
  if (key) options.push('--no-demo', '--config', `${folder.path}/homeostat.yaml`)
  const child = spawn(process.execPath, ['bin/homeostat.js', 'serve', ...options], {
    cwd: root,
    stdio: 'pipe',
  })
  const said: string[] = []
  child.stdout.on('data', (chunk) => said.push(String(chunk)))
  child.stderr.on('data', (chunk) => said.push(String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const until = Date.now() + patienceMs
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > until)
      throw new Error(`The hub did not start:\n${said.join('')}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return { url, mqttPort, secret, stop: () => stop(child).finally(() => folder.remove()) }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

function browserProgram(): string | undefined {
  return programs.find((program) => existsSync(program))
}

/** Why the page cannot be tried here; under CI=true that is an error and not a skip. */
export function whatIsMissing(): string | undefined {
  const reason = !browserProgram()
    ? 'Chromium is not installed on this machine (Debian: apt-get install chromium)'
    : !existsSync(`${root}dist/web/index.html`) || !existsSync(`${root}dist/cli/cli.js`)
      ? 'hub and page are not built (npm run build)'
      : undefined
  if (reason !== undefined && process.env['CI'] === 'true') throw new Error(reason)
  return reason
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: browserProgram() ?? '', args: launchArguments })

const settings = `auth: { required: true }
rules:
  - { name: stuffy, metric: co2, above: 1400, level: warning, message: The air is stuffy. }
`

function createKey(folder: string): string {
  writeFileSync(`${folder}/homeostat.yaml`, settings)
  const command = ['bin/homeostat.js', 'key', 'create', 'page', '--role', 'admin', '--data', folder]
  const { stdout } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
  const secret = /^hs_\S+$/m.exec(stdout)?.[0]
  if (secret === undefined) throw new Error(`No key was made:\n${stdout}`)
  return secret
}
