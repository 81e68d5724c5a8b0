import type { Card } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import type { Steps } from '../../domains/domain.ts'
import type { Forgotten } from './forgotten.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isLearnt } from './model-index.ts'
import type { Learnable } from './target.ts'

interface Parts {
  readonly lifecycle: Lifecycle
  readonly forgotten: Forgotten
}

/** The newest version of a target, if it was trained on exactly this history. */
export function learntFrom(
  { lifecycle, forgotten }: Parts,
  { learning, target }: Learnable,
  steps: Steps,
): string | undefined {
  const newest = lifecycle.entries(target).find(isLearnt)
  if (!newest || newest.status === 'refused') return undefined
  const { card } = newest
  const isForgotten = forgotten.touches(card, ...learning.measured(target))
  return hasSeen(card, steps) && !isForgotten ? card.model.version : undefined
}

/** The live model as the rival, unless a part of its training data was forgotten since. */
export async function rivalOf(
  { lifecycle, forgotten }: Parts,
  { learning, target }: Learnable,
): Promise<StoredModel | undefined> {
  const live = await lifecycle.live(target)
  return live && forgotten.touches(live.card, ...learning.measured(target)) ? undefined : live
}

/** Whether the card describes the same history: the same hours, as many of them unknown, repaired or left out. */
const hasSeen = ({ span, repairs }: Card, steps: Steps): boolean =>
  span.from === steps.start &&
  span.to === steps.start + steps.values.length * steps.stepMs &&
  isAlike(steps.repairs, repairs)

const isAlike = (some: Steps['repairs'], all: Steps['repairs']): boolean =>
  all['forgotten'] === some['forgotten'] && Object.entries(some).every(([name, count]) => all[name] === count)
