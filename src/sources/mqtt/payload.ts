import { type Problem, problem } from '../../core/errors.ts'

export type ParsedPayload = { readonly value: unknown } | { readonly fault: Problem }

/** A text in quotes, or a number that JSON does not have. */
const textOrNotNumber = /"(?:[^"\\]|\\.)*"|[+-]?\b(?:nan|inf(?:inity)?)\b/gi

/**
 * JSON in which devices may also write `nan` and `inf`, bare, as C prints them: they become texts, so that only the field
 * is refused and not the whole message.
 */
export function parsePayload(text: string): ParsedPayload {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    const quoted = text.replace(textOrNotNumber, (found) => (found.startsWith('"') ? found : `"${found}"`))
    if (quoted !== text) {
      try {
        return { value: JSON.parse(quoted) }
      } catch {
        // the error of the original text is more helpful
      }
    }
    const detail = error instanceof Error ? error.message : String(error)
    return { fault: problem('payload_not_json', { detail }) }
  }
}

export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Own properties only, so that a message cannot reach into prototypes. A path has dots for depth. */
export function pick(message: object, path: string): unknown {
  if (Object.hasOwn(message, path)) return (message as JsonObject)[path]
  if (!path.includes('.')) return undefined
  let value: unknown = message
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as JsonObject)[key]
  }
  return value
}

const leavesMax = 200
const depthMax = 8

/** Paths of all values that are no objects, dots for depth; of a list, of its items. */
export function leafPaths(message: object): string[] {
  const paths: string[] = []
  const walk = (value: object, prefix: string, depth: number): void => {
    for (const [key, inner] of Object.entries(value)) {
      if (paths.length >= leavesMax) return
      const path = `${prefix}${key}`
      if (typeof inner === 'object' && inner !== null && depth < depthMax) walk(inner, `${path}.`, depth + 1)
      else if (inner !== null) paths.push(path)
    }
  }
  walk(message, '', 1)
  return paths
}
