import { HomeostatError } from '../../../core/errors.ts'
import type { Frame } from '../../frame.ts'

/** Classes that a classifier takes at most: each needs trees of its own. */
const maxClasses = 1000

/** The target if it can be learnt from. */
export function checkedTarget(frame: Frame, target: Float64Array | undefined): Float64Array {
  if (target === undefined || frame.rows === 0) {
    throw new HomeostatError('data_invalid', { detail: 'There are no rows to learn from' })
  }
  if (target.length !== frame.rows) {
    const detail = `The target has ${target.length} values, the table ${frame.rows} rows`
    throw new HomeostatError('data_invalid', { detail })
  }
  const bad = target.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new HomeostatError('data_invalid', { detail: `The target is not a number in row ${bad + 1}` })
  }
  return target
}

/** The target as classes 0..count-1; there are at least two, so that a single one in the data is still a class. */
export function checkedClasses(target: Float64Array): { classes: Float64Array; count: number } {
  let top = 1
  for (const [row, value] of target.entries()) {
    if (!Number.isInteger(value) || value < 0 || value >= maxClasses) {
      const detail = `The class in row ${row + 1} is ${value}; classes are whole numbers from 0 to ${maxClasses - 1}`
      throw new HomeostatError('data_invalid', { detail })
    }
    top = Math.max(top, value)
  }
  return { classes: target, count: top + 1 }
}
