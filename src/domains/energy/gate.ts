import type { Duel, Verdict } from '../../core/event.ts'
import { pairedTest } from '../../ml/compare.ts'
import type { NaiveKind } from '../../ml/naive.ts'

/**
 * The gate: a candidate goes live only where it beats the best naive forecast, and the model that is live, beyond
 * noise, on hours that neither had seen.
 */

/** Chance that a candidate which is no better passes. */
const alpha = 0.05
/** From so many origins on a live model that was not beaten stays, and the candidate goes. */
const originsEnough = 14
/** Fewer origins tell nothing, in either direction. */
const originsMin = 5
/** Less than this is no difference that anybody would notice. */
const gainMin = 0.01
/** An error in kWh that only rounding leaves. */
const exact = 1e-9

const naiveLabels: Readonly<Record<NaiveKind, string>> = {
  yesterday: 'same time yesterday',
  'last-week': 'same time last week',
  'slot-mean': 'mean of the hour over 28 days',
}

/** Paired by civil day: mean squared errors of the same days by both, NaN where unknown. */
export function duelOf(candidate: Float64Array, rival: Float64Array): Duel {
  const differences: number[] = []
  let ours = 0
  let theirs = 0
  for (const [day, our] of candidate.entries()) {
    const their = rival[day]!
    if (!Number.isFinite(our) || !Number.isFinite(their)) continue
    ours += our
    theirs += their
    differences.push(their - our)
  }
  const { p } = pairedTest(differences)
  return { origins: differences.length, gain: gainOf(ours, theirs), p }
}

/** Of sums of squares. Against a rival without an error nothing can be gained. */
function gainOf(ours: number, theirs: number): number {
  if (theirs > 0) return 1 - Math.sqrt(ours / theirs)
  return ours > 0 ? -1 : 0
}

/** What everybody's forecasts of the same trial come to. `live` is undefined where no learnt model is live. */
export function verdictOf(
  naiveName: NaiveKind,
  naive: Duel & { readonly rmse: number },
  live: Duel | undefined,
): Verdict {
  const { rmse, ...naiveDuel } = naive
  const duels: Record<string, Duel> = { [naiveName]: naiveDuel, ...(live ? { live } : {}) }
  const rival = `the best naive forecast (${naiveLabels[naiveName]})`
  if (rmse < exact) return { standing: 'rejected', reason: `Rejected: ${rival} is exact already.`, duels }
  if (!isBeaten(naiveDuel))
    return { standing: 'rejected', reason: `Rejected: ${told(naiveDuel, rival)}.`, duels }
  if (!live) return { standing: 'live', reason: `Live: ${told(naiveDuel, rival)}.`, duels }
  const standing = standingAgainst(live)
  const sentence = live.origins < originsMin ? tooFew(live) : told(live, 'the live model')
  return { standing, reason: `${titles[standing]}: ${sentence}.`, duels }
}

const titles = { live: 'Live', challenger: 'Challenger', rejected: 'Rejected' } as const

const isBeaten = ({ gain, p }: Duel): boolean => gain > 0 && p < alpha

function standingAgainst(live: Duel): Verdict['standing'] {
  if (live.origins < originsMin) return 'challenger'
  if (isBeaten(live)) return 'live'
  if (live.gain <= 0) return 'rejected'
  return live.origins >= originsEnough && live.gain < gainMin ? 'rejected' : 'challenger'
}

const tooFew = ({ origins }: Duel): string =>
  `it beats the naive forecasts, but only ${origins} of the judged days ${origins === 1 ? 'is' : 'are'} new to the live model, too few to tell them apart`

function told({ gain, p, origins }: Duel, rival: string): string {
  const days = `${origins} unseen days`
  if (origins === 0) return `there is no unseen day on which it could be compared with ${rival}`
  const percent = `${(Math.abs(gain) * 100).toFixed(1)} %`
  if (gain <= 0) return `its root mean square error is ${percent} above ${rival} on ${days}`
  const better = `its root mean square error is ${percent} below ${rival} on ${days}`
  if (origins < originsMin) return `${better}, too few to tell`
  return p < alpha
    ? `${better}; chance does that ${onceIn(p)}`
    : `${better}, but chance alone does that ${onceIn(p)}`
}

/** A probability in plain words. */
function onceIn(p: number): string {
  if (p < 0.001) return 'less than once in 1000 times'
  if (p > 0.4) return 'every other time'
  return `once in ${Math.round(1 / p)} times`
}
