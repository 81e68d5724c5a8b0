import { latestMs } from './time.ts'

/** Deeper than anything that a monitor concludes. */
const depthMax = 8

/** Fields that hold moments, UTC ms: pages and exports make dates of them. */
const moments: ReadonlySet<string> = new Set(['at', 'since', 'until', 'madeAt', 'expiresAt'])

/**
 * Names the first part of a value that no store can keep: a number that is not finite, a moment that no Date can hold,
 * or what JSON does not have. Undefined where all of it can be kept. `path`: where the value itself is.
 */
export function findUnstorable(value: unknown, path: string, depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${path} is ${value}`
    case 'object':
      return value === null ? undefined : findInside(value, path, depth)
    default:
      return `${path} is a ${typeof value}`
  }
}

function findInside(value: object, path: string, depth: number): string | undefined {
  if (depth === depthMax) return `${path} is nested more than ${depthMax} levels deep`
  for (const [key, part] of Object.entries(value)) {
    const where = `${path}.${key}`
    const found = findUnstorable(part, where, depth + 1)
    if (found !== undefined) return found
    if (typeof part === 'number' && moments.has(key) && Math.abs(part) > latestMs)
      return `${where} is ${part}`
  }
  return undefined
}
