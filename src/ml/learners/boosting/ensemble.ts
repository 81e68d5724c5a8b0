import type { FlatTrees } from './flat-trees.ts'

/** What an ensemble consists of. */
export interface EnsembleParts {
  readonly loss: string
  /** Names of the columns, ascending. */
  readonly names: readonly string[]
  /** By position in `names`: the ascending codes of a categorical column. */
  readonly categories: ReadonlyMap<number, Float64Array>
  /** Raw scores before the first tree; their number is that of the outputs. */
  readonly start: Float64Array
  readonly trees: FlatTrees
  /** Sum of the gains of all splits by name: how much each column lowered the loss of training, twice. */
  readonly gain: Float64Array
}
