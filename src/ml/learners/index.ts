/** Every learner by its name. A new one is a file and a line here; the laws in laws.test.ts find it by themselves. */
import type { Learner } from '../learner.ts'
import type { StreamingLearner } from '../streaming.ts'
import { boosting, boostingClassifier } from './boosting.ts'
import { forest, forestClassifier } from './forest.ts'
import { halfSpaceTrees, halfSpaceTreesStream } from './half-space-trees.ts'
import { isolationForest } from './isolation-forest.ts'
import { levelShift, levelShiftStream } from './level-shift.ts'
import { logistic } from './logistic.ts'
import { pca } from './pca.ts'
import { ridge } from './ridge.ts'
import { roomStay } from './room-stay.ts'
import { seasonalResidual, seasonalResidualStream } from './seasonal-residual.ts'
import { stuck, stuckStream } from './stuck.ts'

export const learners = {
  [boosting.name]: boosting,
  [boostingClassifier.name]: boostingClassifier,
  [forest.name]: forest,
  [forestClassifier.name]: forestClassifier,
  'half-space-trees': halfSpaceTrees,
  'isolation-forest': isolationForest,
  'level-shift': levelShift,
  logistic,
  pca,
  ridge,
  'room-stay': roomStay,
  'seasonal-residual': seasonalResidual,
  stuck,
} as const satisfies Readonly<Record<string, Learner>>

/** Those that also learn row by row. */
export const streamingLearners = {
  'half-space-trees': halfSpaceTreesStream,
  'level-shift': levelShiftStream,
  'seasonal-residual': seasonalResidualStream,
  stuck: stuckStream,
} as const satisfies Readonly<Record<string, StreamingLearner>>

export type LearnerName = keyof typeof learners
