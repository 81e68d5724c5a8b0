/** The members that learn nothing: they are always in the blend, and what it must beat. */
import { slotBefore, slotMean } from './features.ts'
import { localMember, type Member } from './member.ts'
import { cycleSeasons } from './series.ts'

const perLead = (horizon: number, value: (lead: number) => number): Float64Array =>
  Float64Array.from({ length: horizon }, (_, lead) => value(lead))

/** The same slot of the last season, of the last cycle, and the mean of the slot over four cycles. */
export const naiveMembers: readonly Member[] = [
  localMember('season', (prepared, origin, horizon) =>
    perLead(horizon, (lead) => slotBefore(prepared, origin, lead)),
  ),
  localMember('cycle', (prepared, origin, horizon) =>
    perLead(horizon, (lead) => slotBefore(prepared, origin, lead, 0, cycleSeasons * prepared.season)),
  ),
  localMember('slot-mean', (prepared, origin, horizon) =>
    perLead(horizon, (lead) => slotMean(prepared, origin, lead, 4 * cycleSeasons)),
  ),
]
