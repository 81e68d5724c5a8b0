import { HomeostatError } from '../core/errors.ts'

/** A cursor is the place of the last item, as base64url of JSON: opaque to clients, checked when it comes back. */
export const encodeCursor = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url')

/** The place, with as many parts of the given types; throws `cursor_invalid` otherwise. */
export function decodeCursor(cursor: string, types: readonly ('string' | 'number')[]): (string | number)[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (
      Array.isArray(place) &&
      place.length === types.length &&
      place.every((part, i) => typeof part === types[i])
    ) {
      return place
    }
  } catch {
    // not JSON: the same answer
  }
  throw new HomeostatError('cursor_invalid')
}

/** One page of a list that is in memory and in a fixed order, by position. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  cursor: string | undefined,
): { items: Item[]; next: string | null } {
  const start = cursor === undefined ? 0 : Number(decodeCursor(cursor, ['number'])[0])
  if (!Number.isSafeInteger(start) || start < 0) throw new HomeostatError('cursor_invalid')
  const end = start + limit
  return { items: items.slice(start, end), next: end < items.length ? encodeCursor([end]) : null }
}
