import { availableParallelism } from 'node:os'
import { kernelProgram } from '../ml/learners/boosting/program.ts'
import type { Team } from '../ml/parallel.ts'
import { startNodeTeam } from '../platform/node-team.ts'
import { clearProgress } from './lab-progress.ts'

/** More threads than this wait for each other more than they work. */
const threadsMax = 4

/**
 * Runs `work` with a thread for each core. What is learnt does not depend on their number. Rejects within seconds where
 * a thread has died, for want of memory as a rule.
 */
export async function withTeam<Result>(work: (team: Team) => Result): Promise<Result> {
  const team = await startNodeTeam(Math.min(threadsMax, availableParallelism()), kernelProgram)
  try {
    return work(team)
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError)
      throw new Error('A thread of the learning has ended before its work; nothing was learnt.', {
        cause: error,
      })
    throw error
  } finally {
    clearProgress()
    await team.stop()
  }
}
