/** Python peers: a virtual environment of their own in the git-ignored cache, made when it is missing. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const cache = fileURLToPath(new URL('.cache/', import.meta.url))

/** Path of a Python that has the packages. Rejects with a sentence where Python or the packages cannot be had. */
export async function pythonWith(environment: string, packages: readonly string[]): Promise<string> {
  const folder = `${cache}python-${environment}`
  const python = `${folder}/bin/python`
  const done = `${folder}/installed`
  if (existsSync(done)) return python
  try {
    await mkdir(cache, { recursive: true })
    await execute('python3', ['-m', 'venv', folder])
    await execute(python, ['-m', 'pip', 'install', '--quiet', ...packages], { timeout: 600_000 })
    await execute('touch', [done])
  } catch (error) {
    throw new Error(`the peer ${environment} could not be installed (python3 -m venv, pip install): ${error}`)
  }
  return python
}

/** Runs bench/peers/SCRIPT with arguments; gives what it printed as JSON. */
export async function runPython(python: string, script: string, args: readonly string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const { stdout } = await execute(python, [path, ...args], { timeout: 600_000 })
  return JSON.parse(stdout)
}
