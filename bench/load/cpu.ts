import { readFileSync } from 'node:fs'

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
