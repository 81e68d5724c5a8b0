import type { Frame } from '../../frame.ts'
import { createRandom } from '../../random.ts'

/** What the tests and the benchmark learn: a smooth part, a product, a kink, a switch, and noise of deviation 0.5. */
export function madeData(rows: number, width: number, seed: number): { frame: Frame; target: Float64Array } {
  const random = createRandom(seed)
  const columns = Array.from({ length: width }, () => new Float64Array(rows).map(() => random.normal()))
  const target = new Float64Array(rows)
  const at = (k: number, row: number): number => columns[k % width]![row]!
  for (let row = 0; row < rows; row++) {
    const smooth = Math.sin(3 * at(0, row)) + at(1, row) * at(2, row) + 0.5 * at(7, row)
    const kinks = 2 * Math.abs(at(3, row)) + (at(4, row) > 0 ? at(5, row) : -at(6, row))
    target[row] = smooth + kinks + 0.5 * random.normal()
  }
  return { frame: { rows, names: columns.map((_, k) => `x${k}`), columns }, target }
}

/** The same rows of every column. */
export function rowsOf(frame: Frame, from: number, to: number): Frame {
  return { ...frame, rows: to - from, columns: frame.columns.map((column) => column.slice(from, to)) }
}
