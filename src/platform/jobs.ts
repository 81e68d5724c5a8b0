import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Jobs } from '../core/ports.ts'

/** How long a worker may run before its thread is ended. */
const jobMsMax = 60 * 60_000

/**
 * Work in worker threads. A thread that runs out of memory or time ends with its job; the loop that carries readings
 * does not notice. `file` is the URL of the module with `runTask`.
 */
export function createThreadJobs(options: {
  readonly file: URL
  readonly threads: number
  readonly memoryMb: number
  /** Loads the first thread at once: the first job then need not wait for it. Unused, it ends. */
  readonly warm?: boolean
  /** What `runTask` is passed with every job. */
  readonly always?: Readonly<Record<string, unknown>>
}): Jobs {
  const pool = new Piscina({
    filename: options.file.href,
    name: 'runTask',
    minThreads: 0,
    maxThreads: options.threads,
    idleTimeout: 30_000,
    resourceLimits: { maxOldGenerationSizeMb: options.memoryMb },
    // learning waits, readings do not
    niceIncrement: 10,
  })
  if (options.warm === true) void pool.run(undefined, { name: 'ready' }).catch(() => undefined)
  return {
    async run(task, input, { signal, onProgress } = {}) {
      const limit = AbortSignal.timeout(jobMsMax)
      const until = signal ? AbortSignal.any([signal, limit]) : limit
      if (!onProgress) return pool.run({ ...options.always, task, input }, { signal: until })
      const { port1, port2 } = new MessageChannel()
      port1.on('message', onProgress)
      try {
        const result = await pool.run(
          { ...options.always, task, input, port: port2 },
          { signal: until, transferList: [port2] },
        )
        // the answer takes another way, and may overtake what was told
        for (let told = receiveMessageOnPort(port1); told; told = receiveMessageOnPort(port1))
          onProgress(told.message)
        return result
      } finally {
        port1.close()
      }
    },
    close: () => pool.destroy(),
  }
}
