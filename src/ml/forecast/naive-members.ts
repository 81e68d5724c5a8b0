/** The members that learn nothing: they are always in the blend, and what it must beat. */
import { slotBefore, slotMean } from './features.ts'
import { localMember, type Member } from './member.ts'
import { cycleSeasons, type Prepared } from './series.ts'

const eachOrigin = (
  name: string,
  value: (prepared: Prepared, origin: number, lead: number) => number,
): Member =>
  localMember(name, (prepared, origins, horizon) =>
    origins.map((origin) =>
      Float64Array.from({ length: horizon }, (_, lead) => value(prepared, origin, lead)),
    ),
  )

/** The same slot of the last season, of the last cycle, and the mean of the slot over four cycles. */
export const naiveMembers: readonly Member[] = [
  eachOrigin('season', (prepared, origin, lead) => slotBefore(prepared, origin, lead)),
  eachOrigin('cycle', (prepared, origin, lead) =>
    slotBefore(prepared, origin, lead, 0, cycleSeasons * prepared.season),
  ),
  eachOrigin('slot-mean', (prepared, origin, lead) => slotMean(prepared, origin, lead, 4 * cycleSeasons)),
]
