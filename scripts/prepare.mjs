/**
 * Brings a clone to where a command can run: installs what the lock file names, builds what is missing or stale, and
 * for `test` also installs the servers that the tests start. Plain Node, because nothing is installed yet.
 *
 *   node scripts/prepare.mjs start|test|build|dev
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { servers } from './servers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'dist', '.built')
const goal = process.argv[2] ?? 'start'

requireNode()
install()
if (goal === 'build' || (goal !== 'dev' && isStale())) build()
if (goal === 'test') installServers()

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Homeostat needs Node 20.19 or newer; this is ${process.version}.`)
}

/** npm keeps a copy of the lock file of what it installed; an older copy means the lock file has moved on. */
function install() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  const lock = join(root, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  say('Installing the libraries (npm ci)...')
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  // npm may leave the file older than the lock file of a fresh clone
  writeFileSync(installed, readFileSync(installed))
  say('Installed.')
}

function isStale() {
  if (!existsSync(stamp)) return true
  const builtMs = statSync(stamp).mtimeMs
  const inputs = ['src', 'web', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  return inputs.some((input) => newestMs(join(root, input)) > builtMs)
}

function newestMs(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestMs(join(path, name))),
    stats.mtimeMs,
  )
}

function build() {
  say('Building the server...')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const bin = (name) => join(root, 'node_modules', '.bin', name)
  run(bin('tsc'), ['-p', 'tsconfig.build.json'])
  say('Building the page...')
  run(bin('vite'), ['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'])
  writeFileSync(stamp, `${new Date().toISOString()}\n`)
}

/** On Debian as root; elsewhere the tests that need a missing server say so and are skipped. */
function installServers() {
  const missing = servers.filter(({ commands }) => !commands.some(isCommand))
  if (missing.length === 0) return
  const packages = missing.flatMap(({ debian }) => debian)
  const names = missing.map(({ name }) => name).join(', ')
  if (!isCommand('apt-get') || process.getuid?.() !== 0) {
    say(
      `Not installed here: ${names}. Their tests are skipped. On Debian: apt-get install ${packages.join(' ')}`,
    )
    return
  }
  say(`Installing ${names} for the tests (apt-get)...`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env }
  spawnSync('apt-get', ['update', '-qq'], quiet)
  const { status } = spawnSync(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    quiet,
  )
  if (status !== 0)
    say(`apt-get could not install all of ${packages.join(' ')}; tests that need them are skipped.`)
}

function isCommand(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)))
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error || status !== 0)
    fail(`"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.`)
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
