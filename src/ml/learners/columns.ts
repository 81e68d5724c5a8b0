/** What every learner asks of its frame. */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'

/** Throws `data_invalid` where there is nothing to learn from: no rows, no columns, columns of unequal length. */
export function checkFrame(frame: Frame): void {
  const refuse = (detail: string): never => {
    throw new HomeostatError('data_invalid', { detail })
  }
  if (frame.rows < 1) refuse('there are no rows to learn from')
  if (frame.columns.length === 0) refuse('there are no columns to learn from')
  frame.columns.forEach((column, at) => {
    const name = frame.names[at]
    if (column.length !== frame.rows)
      refuse(`the column ${name} has ${column.length} rows, not ${frame.rows}`)
    for (let row = 0; row < column.length; row++)
      if (Math.abs(column[row]!) === Number.POSITIVE_INFINITY)
        refuse(`the column ${name} is ${column[row]} at row ${row + 1}`)
  })
}

/** Throws `data_invalid` for a target that is missing, of another length, or not a finite number somewhere. */
export function checkTarget(frame: Frame, target: Float64Array | undefined): Float64Array {
  if (!target || target.length !== frame.rows)
    throw new HomeostatError('data_invalid', {
      detail: `there are ${target?.length ?? 'no'} targets for ${frame.rows} rows`,
    })
  const bad = target.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new HomeostatError('data_invalid', { detail: `the target is ${target[bad]} at row ${bad + 1}` })
  return target
}

/** Feature names in an order that does not depend on the frame's, so that the same seed means the same model. */
export const sortedNames = (frame: Frame): string[] => [...frame.names].sort()

/** The columns of these names; one that the frame does not have is all missing. */
export function columnsByName(frame: Frame, names: readonly string[]): Float64Array[] {
  return names.map((name) => {
    const at = frame.names.indexOf(name)
    return at >= 0 ? frame.columns[at]! : new Float64Array(frame.rows).fill(Number.NaN)
  })
}
