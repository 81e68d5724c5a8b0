import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ticks a second of /proc (USER_HZ), 100 on every Linux that Node runs on. */
const ticks = 100

/**
 * Processor seconds that processes have used so far, user and system, all threads. Unlike a rate it hardly changes
 * when the machine is busy with something else. Linux only.
 */
export function cpuSecondsOf(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids) {
    // the name in brackets may hold spaces; utime and stime are fields 14 and 15 (proc(5))
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    sum += (Number(fields[11]) + Number(fields[12])) / ticks
  }
  return sum
}

/** A process at rest uses less than this share of a processor. */
const restShare = 0.1
/** It is not waited longer than this for one. */
const restMsMax = 30_000

/**
 * Resolves once none of the processes is busy with what an earlier scene left to do (roll-ups, compactions), or after half
 * a minute: otherwise a scene measures the one before it.
 */
export async function untilAtRest(pids: readonly number[]): Promise<void> {
  const startedMs = performance.now()
  while (performance.now() - startedMs < restMsMax) {
    const before = cpuSecondsOf(pids)
    const beganMs = performance.now()
    await sleep(1000)
    const seconds = (performance.now() - beganMs) / 1000
    if (cpuSecondsOf(pids) - before < restShare * seconds * pids.length) return
  }
}
