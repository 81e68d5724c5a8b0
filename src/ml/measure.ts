/** How a measure is made of the mean of a loss. */
export interface Measure {
  /** Name in scores and `decidedBy`. */
  readonly name: string
  /** The loss that it is made of. */
  readonly loss: string
  /** From the mean loss. */
  readonly of: (loss: number) => number
}

const asItIs = (loss: number): number => loss

const known: readonly Measure[] = [
  { name: 'rmse', loss: 'squared', of: Math.sqrt },
  { name: 'mae', loss: 'absolute', of: asItIs },
]

/** The measure of a name; one that is not in the table is the mean of the loss of the same name. */
export const measureOf = (name: string): Measure =>
  known.find((measure) => measure.name === name) ?? { name, loss: name, of: asItIs }

/** The measure that is made of a loss. */
export const measureOfLoss = (loss: string): Measure =>
  known.find((measure) => measure.loss === loss) ?? measureOf(loss)

/** For sentences. */
export const measureText = (name: string): string => sentences[name] ?? name

const sentences: Readonly<Record<string, string>> = {
  rmse: 'root mean square error',
  mae: 'mean absolute error',
  pinball: 'pinball loss',
  brier: 'Brier score',
}

/** 1 - a / b of the measure; undefined if there is nothing to compare with. */
export function skillOf(measure: Measure, loss: number, baseline: number): number | undefined {
  const skill = 1 - measure.of(loss) / measure.of(baseline)
  return baseline > 0 && Number.isFinite(skill) ? skill : undefined
}
