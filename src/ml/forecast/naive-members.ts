/** The members that learn nothing: they are always in the blend, and what it must beat. */
import { featureMember, fittedOn, type Member } from './member.ts'

/** The same slot of the last season, which is what features are relative to. */
const lastSeason = fittedOn(
  (frame) => new Float64Array(frame.rows),
  () => null,
)

/** The same slot of the last season, of the last cycle, and the mean of the slot over four cycles. */
export const naiveMembers: readonly Member[] = [
  { name: 'season', fit: () => lastSeason, load: () => lastSeason },
  featureMember('cycle', 'cycle -1'),
  featureMember('slot-mean', 'slot long mean'),
]
