import { availableParallelism } from 'node:os'
import { kernelProgram } from '../ml/learners/boosting/program.ts'
import type { Team } from '../ml/parallel.ts'
import { startNodeTeam } from '../platform/node-team.ts'

/** More threads than this wait for each other more than they work. */
const threadsMax = 4

/** Runs `work` with a thread for each core. What is learnt does not depend on their number. */
export async function withTeam<Result>(work: (team: Team) => Result): Promise<Result> {
  const team = await startNodeTeam(Math.min(threadsMax, availableParallelism()), kernelProgram)
  try {
    return work(team)
  } finally {
    await team.stop()
  }
}
