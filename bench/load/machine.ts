import { readdirSync, readFileSync } from 'node:fs'
import { round } from '../report.ts'

/** Ticks a second of /proc (USER_HZ), 100 on every Linux that Node runs on. */
const ticks = 100

/** Call the answer to learn how many processors were busy since with what this process did not start. Linux only. */
export function watchOthers(): () => number {
  const [start, all, own] = [performance.now(), busySeconds(), familySeconds(process.pid)]
  return () => {
    const seconds = (performance.now() - start) / 1000
    return Math.max(0, busySeconds() - all - (familySeconds(process.pid) - own)) / seconds
  }
}

/** The same as a part of a note. */
export function noteOthers(): () => string {
  const others = watchOthers()
  return () => `others kept ${round(others())} processors busy`
}

/** Processor seconds of the whole machine since it started: all but idle and waiting for disks (proc(5)). */
function busySeconds(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!
  const [user, nice, system, , , irq, softIrq] = line.trim().split(/\s+/).slice(1).map(Number)
  return (user! + nice! + system! + irq! + softIrq!) / ticks
}

/** Processor seconds of a process, of all that it started and that they started; those that have ended, too. */
function familySeconds(pid: number): number {
  const rows = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(name) ?? [])
  const family = new Set([pid])
  let sum = 0
  // a child may have a lower number than its parent, so until nothing is found any more
  for (let found = -1; found !== family.size; ) {
    found = family.size
    for (const row of rows) if (family.has(row.parent)) family.add(row.pid)
  }
  for (const row of rows) if (family.has(row.pid)) sum += row.seconds
  return sum
}

/** Fields 4 (parent) and 14 to 17 (own time, and that of ended children) of proc(5); undefined when it has just ended. */
function statOf(
  name: string,
): { readonly pid: number; readonly parent: number; readonly seconds: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    // the name in brackets may hold spaces
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const seconds = fields.slice(11, 15).reduce((sum, field) => sum + Number(field) / ticks, 0)
    return { pid: Number(name), parent: Number(fields[1]), seconds }
  } catch {
    return undefined
  }
}
