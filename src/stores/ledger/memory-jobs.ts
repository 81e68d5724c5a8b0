import type { Job } from '../../core/life.ts'
import type { JobLedger } from '../../core/ports.ts'
import { hides, type TakeOut, takeOut } from './memory-devices.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'

export function memoryJobs(): JobLedger & Upkeep & { readonly takeOut: TakeOut } {
  const jobs = new Map<string, Job>()
  return {
    async put(put) {
      for (const job of structuredClone(put)) jobs.set(job.id, job)
    },
    all: async ({ site, status } = {}, limit) =>
      [...jobs.values()]
        .filter((job) => site === undefined || job.target.site === site)
        .filter((job) => status === undefined || status.includes(job.status))
        .sort((a, b) => b.createdAt - a.createdAt || compare(a.id, b.id))
        .slice(0, limit),
    get: async (id) => jobs.get(id),

    removeSite: (site) => removeWhere(jobs, ({ target }) => target.site === site),
    // trainings are no history of the device: they are not kept
    takeOut(removal) {
      takeOut(jobs, ({ target }) => hides(removal, target))
      return () => undefined
    },
    dropBefore: (keepFrom) =>
      removeWhere(jobs, ({ endedAt = Number.POSITIVE_INFINITY }) => endedAt < keepFrom),
  }
}
