import { HomeostatError } from '../core/errors.ts'
import type { SeriesKey } from '../core/event.ts'

/** The sort key of an item in its list. Numbers are integers. */
export type Place = readonly (string | number)[]

/** A cursor is the place of the last item, as base64url of JSON: opaque to clients, checked when it comes back. */
export const encodeCursor = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url')

/** The place in a cursor, which must have parts of these types; throws `cursor_invalid` otherwise. */
export function decodeCursor(cursor: string, types: readonly ('string' | 'number')[]): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(place) && place.length === types.length && place.every((part, i) => is(part, types[i])))
      return place
  } catch {
    // not JSON: the same answer
  }
  throw new HomeostatError('cursor_invalid')
}

const is = (part: unknown, type: 'string' | 'number' | undefined): boolean =>
  type === 'number' ? Number.isSafeInteger(part) : typeof part === type

/** The place of an item that belongs to a series. */
export const seriesTypes = ['string', 'string', 'string'] as const
export const seriesPlace = ({ site, device, metric }: SeriesKey): Place => [site, device, metric]

/** A list that is never divided into pages. */
export const whole = <Item>(items: readonly Item[]): { items: readonly Item[]; next: null } => ({
  items,
  next: null,
})

/**
 * One page of a list in memory, ascending by place. The cursor is a place, not a count: items that are added or removed
 * between two pages cause no repeats and no gaps.
 */
export function pageOf<Item>(
  items: readonly Item[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  types: readonly ('string' | 'number')[],
  placeOf: (item: Item) => Place,
): { items: Item[]; next: string | null } {
  const sorted = ascending(items, placeOf)
  const after = cursor === undefined ? undefined : decodeCursor(cursor, types)
  const found = after === undefined ? 0 : sorted.findIndex((item) => compare(placeOf(item), after) > 0)
  const start = found < 0 ? sorted.length : found
  const page = sorted.slice(start, start + limit)
  return { items: page, next: start + limit < sorted.length ? encodeCursor(placeOf(page.at(-1)!)) : null }
}

/** Most lists are sorted already, which one pass detects. */
function ascending<Item>(items: readonly Item[], placeOf: (item: Item) => Place): readonly Item[] {
  const places = items.map(placeOf)
  if (places.every((place, index) => index === 0 || compare(places[index - 1]!, place) <= 0)) return items
  const order = places.map((_, index) => index).sort((a, b) => compare(places[a]!, places[b]!))
  return order.map((index) => items[index]!)
}

function compare(a: Place, b: Place): number {
  for (let index = 0; index < a.length; index++) {
    const [part, other] = [a[index]!, b[index]!]
    if (part !== other) return part < other ? -1 : 1
  }
  return 0
}
