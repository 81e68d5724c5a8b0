import { Worker } from 'node:worker_threads'
import type { Program, Team } from '../ml/parallel.ts'

/** A team that was started here, and must be stopped here. */
export interface NodeTeam extends Team {
  /** Ends its threads; the team must be idle. */
  stop(): Promise<void>
}

/**
 * The life of a member, as text: a worker from text needs no path, which differs between TypeScript and its build.
 * It answers once it is ready, and then never returns from `serve` until the program's `stop` is called.
 */
const member = `
const { parentPort, workerData } = require('node:worker_threads')
const { module, memory, member } = workerData
const { exports } = new WebAssembly.Instance(module, { env: { memory } })
parentPort.postMessage('ready')
exports.serve(member)
`

const pagesOf = (mebibytes: number): number => mebibytes * 16

/**
 * Starts `size - 1` threads that run `program` together with the caller. They sleep while there is nothing to do and do
 * not keep the process alive. `memoryMb` is address space; only what is used takes memory. It cannot grow later: a
 * thread that is inside the program would not learn of it. Rejects when a thread cannot be started.
 */
export async function startNodeTeam(size: number, program: Program, memoryMb = 512): Promise<NodeTeam> {
  const module = new WebAssembly.Module(program.bytes)
  const pages = Math.min(pagesOf(memoryMb), program.maxPages)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const workers = Array.from({ length: size - 1 }, (_, k) => {
    return new Worker(member, { eval: true, workerData: { module, memory, member: k + 1 } })
  })
  try {
    await Promise.all(workers.map(ready))
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()))
    throw error
  }
  for (const worker of workers) worker.unref()
  const mine = new WebAssembly.Instance(module, { env: { memory } }).exports as { stop(): void }
  return {
    size,
    memory,
    stop: async () => {
      mine.stop()
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
}
