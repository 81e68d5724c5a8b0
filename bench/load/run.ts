import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer } from './child.ts'
import type { LoadResult, LoadSpec } from './spec.ts'

/**
 * Runs a load in a process of its own and resolves with what it counted. The child ends with this process,
 * and a load ends itself after its `maxSeconds`. Rejects when the load could not start or its process died.
 */
export function runLoad(load: LoadSpec, signal?: AbortSignal): Promise<LoadResult> {
  return startLoad(load, signal).result
}

/** The same, with the process at hand, for who wants to see it running. */
export function startLoad(
  load: LoadSpec,
  signal?: AbortSignal,
): { readonly child: ChildProcess; readonly result: Promise<LoadResult> } {
  const child = fork(fileURLToPath(new URL(`./${load.kind}.ts`, import.meta.url)), {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: { ...process.env, HOMEOSTAT_LOAD: load.kind },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  signal?.addEventListener('abort', kill, { once: true })
  const result = new Promise<LoadResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('message', (answer) => {
      // a load generator sends nothing else
      const told = answer as Answer
      if ('error' in told) reject(new Error(`${load.kind} load: ${told.error}`))
      else resolve(told.result)
    })
    child.once('exit', (code, by) => {
      process.off('exit', kill)
      signal?.removeEventListener('abort', kill)
      reject(new Error(`the ${load.kind} load ended without an answer (${code ?? by})`))
    })
  })
  child.send(load)
  return { child, result }
}
