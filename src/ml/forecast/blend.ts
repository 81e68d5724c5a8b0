/**
 * Blending members by past skill: each series gives its members weights by how they did at its own past origins, drawn
 * towards how they did over all series, since a few origins say little. A power of the inverse error, as in Bates and
 * Granger (1969) and Pawlikowski and Chorowska (2020).
 */

/** Errors of the members at past origins: `errors[series][origin][member]`, root mean square in scales, NaN where unknown. */
export type PastErrors = readonly (readonly number[][])[]

export interface BlendOptions {
  /** How sharply weights fall with the error. */
  readonly power: number
  /** How many origins the errors over all series count for. */
  readonly prior: number
  /** Members whose weight is below this share of the best one's are left out. */
  readonly least: number
  /**
   * Errors are those over all origins of a series, not means of what they are at each origin. A device that seldom runs
   * is then judged by the days on which it does.
   */
  readonly pooled: boolean
}

export const blendDefaults: Readonly<BlendOptions> = { power: 8, prior: 4, least: 0.1, pooled: false }

/**
 * Gives the weights of the members for a series, that sum to 1. With `left`, from its origins without this one and
 * those whose forecasts overlap with it: what the blend would have been without knowing what came.
 */
export type Weigh = (series: number, left?: number) => Float64Array

/** Origins up to `overlap` apart share steps. Without any past error all members weigh the same. */
export function weighing(
  errors: PastErrors,
  members: number,
  overlap: number,
  options: BlendOptions = blendDefaults,
): Weigh {
  if (options.pooled) return weighingPooled(errors, members, overlap, options)
  const overall = meanErrors(
    errors.flatMap((series) => series.map(relative)),
    members,
  )
  return (series, left) => {
    const own = (errors[series] ?? [])
      .filter((_, origin) => left === undefined || Math.abs(origin - left) > overlap)
      .map(relative)
    const mean = meanErrors(own, members)
    const weights = new Float64Array(members)
    for (let k = 0; k < members; k++) {
      const prior = overall[k]!
      const drawn = Number.isNaN(mean[k]!)
        ? prior
        : (own.length * mean[k]! + options.prior * prior) / (own.length + options.prior)
      weights[k] = Number.isNaN(drawn) ? 0 : Math.max(drawn, 1e-3) ** -options.power
    }
    return shares(weights, options.least)
  }
}

/** Without a prior: a series is one device. */
function weighingPooled(
  errors: PastErrors,
  members: number,
  overlap: number,
  { power, least }: BlendOptions,
): Weigh {
  return (series, left) => {
    const rows = (errors[series] ?? []).filter(
      (_, origin) => left === undefined || Math.abs(origin - left) > overlap,
    )
    const sizes = Float64Array.from({ length: members }, (_, k) => {
      const known = rows.map((row) => row[k]!).filter((error) => !Number.isNaN(error))
      return Math.sqrt(known.reduce((sum, error) => sum + error * error, 0) / known.length)
    })
    // relative to the best: a power of a small number may be no number any more
    const best = sizes.reduce(
      (smallest, size) => Math.min(smallest, Number.isNaN(size) ? smallest : size),
      Number.POSITIVE_INFINITY,
    )
    const ratio = (size: number): number => (size - best <= 1e-9 * best ? 1 : best / size)
    return shares(
      sizes.map((size) => (Number.isNaN(size) ? 0 : ratio(size) ** power)),
      least,
    )
  }
}

/** Errors of one origin over their mean, so that origins and series count alike. */
function relative(errors: readonly number[]): readonly number[] {
  const known = errors.filter((error) => !Number.isNaN(error))
  const mean = known.reduce((sum, error) => sum + error, 0) / known.length
  return mean > 0 ? errors.map((error) => error / mean) : errors.map((error) => error + 1)
}

function meanErrors(rows: readonly (readonly number[])[], members: number): Float64Array {
  return Float64Array.from({ length: members }, (_, k) => {
    const known = rows.map((row) => row[k]!).filter((error) => !Number.isNaN(error))
    return known.reduce((sum, error) => sum + error, 0) / known.length
  })
}

function shares(weights: Float64Array, least: number): Float64Array {
  const top = weights.reduce((most, weight) => Math.max(most, weight), 0)
  if (top === 0) return weights.fill(1 / weights.length)
  const kept = weights.map((weight) => (weight < least * top ? 0 : weight))
  const sum = kept.reduce((total, weight) => total + weight, 0)
  return kept.map((weight) => weight / sum)
}

/** The members' forecasts of one origin as one: the weighted mean of those that have a forecast of a lead. */
export function blended(
  forecasts: readonly (Float64Array | undefined)[],
  weights: Float64Array,
  horizon: number,
): Float64Array {
  return Float64Array.from({ length: horizon }, (_, lead) => {
    let sum = 0
    let total = 0
    for (const [k, forecast] of forecasts.entries()) {
      const value = forecast?.[lead] ?? Number.NaN
      if (weights[k] === 0 || Number.isNaN(value)) continue
      sum += weights[k]! * value
      total += weights[k]!
    }
    return total > 0 ? sum / total : firstKnown(forecasts, lead)
  })
}

const firstKnown = (forecasts: readonly (Float64Array | undefined)[], lead: number): number =>
  forecasts.map((forecast) => forecast?.[lead] ?? Number.NaN).find((value) => !Number.isNaN(value)) ??
  Number.NaN
