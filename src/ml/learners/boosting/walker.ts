import { bySet, type FlatTrees, missingRight } from './flat-trees.ts'
import { compiled, heapAt, reserve } from './program.ts'

/** Adds what trees say of `rows` rows of a row-major matrix to their scores. */
export type Walker = (matrix: Float64Array, rows: number, scores: Float64Array) => void

const nodeBytes = 16
/** Columns whose byte offset in a row fits into 16 bits. */
const widest = 8191

/**
 * The compiled walk through trees, eight rows at a time, with the bits of `addScores`; undefined where it cannot run, and
 * for trees with categories or very many columns. It lies in the thread's own memory: to be used at once, before anything is learnt.
 */
export function createWalker(
  trees: FlatTrees,
  width: number,
  outputs: number,
  blockRows: number,
): Walker | undefined {
  const mine = compiled()
  if (mine === undefined || mine === null || width > widest) return undefined
  if (trees.flags.some((flags) => (flags & bySet) !== 0)) return undefined
  const { memory, wasm } = mine
  const count = trees.feature.length
  const valuesAt = heapAt + count * nodeBytes
  const matrixAt = valuesAt + count * 8
  const scoresAt = matrixAt + blockRows * width * 8
  const rootsAt = scoresAt + blockRows * outputs * 8
  reserve(memory, rootsAt + trees.roots.length * 4)
  const { buffer } = memory
  writeNodes(trees, new DataView(buffer, heapAt, count * nodeBytes))
  new Float64Array(buffer, valuesAt, count).set(trees.value)
  new Uint32Array(buffer, rootsAt, trees.roots.length).set(
    trees.roots.map((root) => heapAt + root * nodeBytes),
  )
  const rowsIn = new Float64Array(buffer, matrixAt, blockRows * width)
  const scoresIn = new Float64Array(buffer, scoresAt, blockRows * outputs)
  return (matrix, rows, scores) => {
    rowsIn.set(matrix.length > rowsIn.length ? matrix.subarray(0, rowsIn.length) : matrix)
    scoresIn.set(scores)
    // rows beyond the last one are walked too, and their scores thrown away
    const eights = (rows + 7) & ~7
    const { length } = trees.roots
    wasm.predict(heapAt, valuesAt, rootsAt, length, matrixAt, width, eights, scoresAt, outputs)
    scores.set(scoresIn.subarray(0, scores.length))
  }
}

/** Nodes as the program reads them: threshold, address of the left child, offset of the feature and side of missing. */
function writeNodes({ feature, value, left, flags }: FlatTrees, out: DataView): void {
  for (let node = 0, at = 0; node < feature.length; node++, at += nodeBytes) {
    const leaf = feature[node]! < 0
    out.setFloat64(at, leaf ? Number.POSITIVE_INFINITY : value[node]!, true)
    out.setUint32(at + 8, heapAt + (leaf ? node : left[node]!) * nodeBytes, true)
    out.setUint16(at + 12, leaf ? 0 : feature[node]! * 8, true)
    out.setUint16(at + 14, leaf ? 0 : flags[node]! & missingRight, true)
  }
}
