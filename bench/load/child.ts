import type { LoadResult, LoadSpec } from './spec.ts'

/** Wall time in UTC ms with the resolution of the monotonic clock; the same in every process of the machine. */
export const wallNow = (): number => performance.timeOrigin + performance.now()

export function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

/** Runs the load that the parent sends, once, answers, and ends. Does nothing where the module is only imported. */
export function serveLoad<Kind extends LoadSpec['kind']>(
  kind: Kind,
  run: (load: Extract<LoadSpec, { kind: Kind }>) => Promise<LoadResult>,
): void {
  if (process.send === undefined || process.env['HOMEOSTAT_LOAD'] !== kind) return
  process.once('disconnect', () => process.exit(1))
  process.once('message', (message) => {
    // the parent of this file sends nothing else
    run(message as Extract<LoadSpec, { kind: Kind }>).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    )
  })
}

export type Answer = { readonly result: LoadResult } | { readonly error: string }

function answer(message: Answer): void {
  process.send?.(message, () => process.exit(0))
}
