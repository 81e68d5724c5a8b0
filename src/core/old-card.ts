import type { Card, Comparison, Scores, Verdict } from './event.ts'
import type { Target } from './target.ts'

/**
 * Cards and keys of hubs before targets: a model belonged to a series, and each such series was energy of a device.
 */
export const oldDomain = 'energy'

interface OldSeries {
  readonly site: string
  readonly device: string
  readonly metric: string
}

interface OldCard extends Omit<Card, 'target' | 'metric' | 'verdict' | 'decidedBy' | 'scores'> {
  readonly series: OldSeries
  readonly scores: Scores
  readonly verdict: {
    readonly standing: Verdict['status']
    readonly reason: string
    readonly duels: Readonly<
      Record<string, { readonly origins: number; readonly gain: number; readonly p: number }>
    >
  }
}

/** The target of a series that a model belonged to. */
export const targetOfSeries = ({ site, device }: Omit<OldSeries, 'metric'>): Target => ({
  site,
  domain: oldDomain,
  subject: device,
})

/** Whether a parsed card has the old form; its fields are not checked. */
export const isOldCard = (card: object): boolean => 'series' in card && !('target' in card)

/** A card of the old form in today's; any other as it is. */
export function upgradeCard(card: object): Card {
  if (!isOldCard(card)) return card as Card
  const { series, verdict, ...rest } = card as OldCard
  const comparisons = Object.entries(verdict.duels).map(([rival, { origins, gain, p }]) => {
    const comparison: Comparison = { days: origins, gain, p }
    return [rival, comparison] as const
  })
  return {
    target: targetOfSeries(series),
    metric: series.metric,
    ...rest,
    decidedBy: 'rmse',
    verdict: {
      status: verdict.standing,
      reason: verdict.reason,
      comparisons: Object.fromEntries(comparisons),
    },
  }
}
