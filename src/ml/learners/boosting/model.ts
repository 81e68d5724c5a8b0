import type { Frame } from '../../frame.ts'
import type { Learner, Model } from '../../learner.ts'
import { codeBin } from './binning.ts'
import type { EnsembleParts } from './ensemble.ts'
import { addScores } from './flat-trees.ts'
import { logSumExp, sigmoid } from './losses.ts'
import { modelFromJson, modelToJson } from './model-json.ts'
import { createWalker } from './walker.ts'

/** Rows that are gathered and sent through the trees together: their values stay in the fast caches. */
const blockRows = 128
/** Rows below which it is not worth handing the trees to the compiled walk. */
const fewRows = 64

export interface BoostingModel extends Model {
  readonly parts: EnsembleParts
  /**
   * Answers for one row without allocation: `values` in the order of `parts.names`, NaN for missing; gives output
   * `output` of what `predict` gives.
   */
  predictRow(values: Float64Array, output?: number): number
  /** Raw scores before sigmoid or softmax, row-major. */
  rawScores(frame: Frame): Float64Array
}

/** A learner whose models are trees, and can be explained as such. */
export interface TreeLearner<Options extends object> extends Learner<Options> {
  fit(frame: Frame, target: Float64Array | undefined, options?: Partial<Options>): BoostingModel
  load(json: unknown): BoostingModel
}

export function createModel(parts: EnsembleParts): BoostingModel {
  const { names, start, trees, loss } = parts
  const outputs = start.length
  const one = new Float64Array(outputs)
  const row = new Float64Array(names.length)

  const rawScores = (frame: Frame): Float64Array => {
    const scores = new Float64Array(frame.rows * outputs)
    for (let k = 0; k < scores.length; k++) scores[k] = start[k % outputs]!
    const fast = frame.rows < fewRows ? undefined : createWalker(trees, names.length, outputs, blockRows)
    forEachBlock(parts, frame, (matrix, first, rows) => {
      if (fast === undefined) addScores(trees, matrix, names.length, rows, scores, first, outputs)
      else fast(matrix, rows, scores.subarray(first * outputs, (first + rows) * outputs))
    })
    return scores
  }
  return {
    parts,
    outputs,
    rawScores,
    predict: (frame) => {
      const scores = rawScores(frame)
      for (let at = 0; at < scores.length; at += outputs) link(loss, scores, at, outputs)
      return scores
    },
    predictRow: (values, output = 0) => {
      row.set(values)
      for (const [position, codes] of parts.categories) row[position] = codeBin(codes, row[position]!)
      one.set(start)
      addScores(trees, row, names.length, 1, one, 0, outputs)
      link(loss, one, 0, outputs)
      return one[output]!
    },
    toJSON: () => modelToJson(parts),
  }
}

/**
 * Restores a model from its JSON, of one of the given losses.
 * Throws `data_invalid` for anything that is not such a model.
 */
export function loadModel(json: unknown, losses: readonly string[]): BoostingModel {
  return createModel(modelFromJson(json, losses))
}

/** Gathers the rows of a frame block by block, columns by name, absent ones missing, categories as bins. */
export function forEachBlock(
  { names, categories }: Pick<EnsembleParts, 'names' | 'categories'>,
  frame: Frame,
  visit: (matrix: Float64Array, first: number, rows: number) => void,
): void {
  const at = new Map(frame.names.map((name, k) => [name, k]))
  const columns = names.map((name) => frame.columns[at.get(name) ?? -1])
  const width = names.length
  const matrix = new Float64Array(Math.min(blockRows, frame.rows) * width)
  for (let first = 0; first < frame.rows; first += blockRows) {
    const rows = Math.min(blockRows, frame.rows - first)
    for (let k = 0; k < width; k++) {
      gather(columns[k], categories.get(k), first, rows, matrix, k, width)
    }
    visit(matrix, first, rows)
  }
}

function gather(
  column: Float64Array | undefined,
  codes: Float64Array | undefined,
  first: number,
  rows: number,
  matrix: Float64Array,
  at: number,
  width: number,
): void {
  for (let row = 0, to = at; row < rows; row++, to += width) {
    const value = column === undefined ? Number.NaN : column[first + row]!
    matrix[to] = codes === undefined ? value : codeBin(codes, value)
  }
}

/** Turns raw scores into answers, in place. */
function link(loss: string, scores: Float64Array, at: number, outputs: number): void {
  if (loss === 'logistic') scores[at] = sigmoid(scores[at]!)
  else if (loss === 'softmax') softmaxInPlace(scores, at, outputs)
  else if (loss === 'share') scores[at] = Math.min(Math.max(scores[at]!, 0), 1)
  else if (loss === 'shares') normalise(scores, at, outputs)
}

function softmaxInPlace(scores: Float64Array, at: number, outputs: number): void {
  const all = logSumExp(scores, at, outputs, 1)
  for (let k = at; k < at + outputs; k++) scores[k] = Math.exp(scores[k]! - all)
}

/** Shares that were learnt one by one add up to one only nearly. */
function normalise(scores: Float64Array, at: number, outputs: number): void {
  let sum = 0
  for (let k = at; k < at + outputs; k++) sum += Math.max(scores[k]!, 0)
  for (let k = at; k < at + outputs; k++) scores[k] = sum > 0 ? Math.max(scores[k]!, 0) / sum : 1 / outputs
}
