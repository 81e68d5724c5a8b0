/** The members that every forecast tries. */
import type { Team } from '../parallel.ts'
import { boostedMember, type RowsOf, type TrainingRows, trainingRows } from './boosted.ts'
import { featureMember, type Member } from './member.ts'
import { naiveMembers } from './naive-members.ts'
import { smoothedMember } from './smoothing.ts'

/** Deep trees on the absolute loss: many series, each with a shape of its own. */
const sharp = {
  loss: 'absolute',
  rounds: 150,
  learningRate: 0.08,
  maxLeaves: 63,
  minChildRows: 50,
  columnSample: 0.6,
  subsample: 0.7,
  l2: 1,
} as const

/** Shallow trees on the squared loss: few series, much noise, and a mean rather than a median. */
const smooth = {
  loss: 'squared',
  rounds: 100,
  learningRate: 0.04,
  maxLeaves: 15,
  minChildRows: 200,
  columnSample: 0.5,
  subsample: 0.5,
  l2: 10,
} as const

/** The naive ones, smoothing, and four boosted ones that differ in loss and anchor. `team`: threads for boosting. */
export function membersOf({ team }: { readonly team?: Team } = {}): Member[] {
  const rows = remembered(trainingRows)
  const threads = team ? { team } : {}
  return [
    ...naiveMembers,
    smoothedMember,
    boostedMember('sharp season', rows, { anchor: 'season', ...sharp, ...threads }),
    boostedMember('sharp slot-mean', rows, { anchor: 'slot-mean', ...sharp, ...threads }),
    boostedMember('smooth season', rows, { anchor: 'season', ...smooth, ...threads }),
    boostedMember('smooth slot-mean', rows, { anchor: 'slot-mean', ...smooth, ...threads }),
  ]
}

/** Few small trees. Chosen, like the set below, by rolling origins over real and simulated homes before those scored. */
const light = { maxLeaves: 6, minChildRows: 150, l2: 1, maxBins: 64, seed: 1 } as const

/**
 * For one device at a time, learnt often: naive ones, smoothing at fixed paces, and two small boosted ones. All need
 * features only, so that a forecaster of these can be asked about rows of features.
 */
export function lightMembersOf(): Member[] {
  const rows = remembered((all, horizon) =>
    trainingRows(all, horizon, { leadsPerOrigin: 5, rowsMax: 8_000, warmUp: 1 }),
  )
  const plain = [
    ...naiveMembers,
    featureMember('smoothed slowly', 'smoothed 1'),
    featureMember('smoothed', 'smoothed 2'),
  ]
  const relative = { anchor: 'slot-mean', rounds: 40, learningRate: 0.1, columnSample: 0.5 } as const
  const levels = { anchor: 'slot-long-mean', levels: true, rounds: 60, learningRate: 0.07 } as const
  return [
    ...plain.map((member) => ({ ...member, hope: 0 })),
    boostedMember('light slot-mean', rows, { ...light, ...relative }),
    boostedMember('light levels', rows, { ...light, ...levels }),
  ]
}

/** The rows of the last call again, when it is asked for the same. */
function remembered(make: RowsOf): RowsOf {
  let last: { readonly of: readonly unknown[]; readonly rows: TrainingRows } | undefined
  return (...of) => {
    if (!last || last.of.some((one, at) => one !== of[at])) last = { of, rows: make(...of) }
    return last.rows
  }
}
