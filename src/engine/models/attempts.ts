/** An item whose work failed, and why. */
export interface Failure<Item> {
  readonly item: Item
  readonly error: unknown
}

/**
 * Does the work on all items at once, and on each alone if that fails, so that one of them harms no other. For work
 * that does all of it or nothing, or that may be repeated. Never rejects: returns the items that failed alone, too.
 */
export async function attemptTogether<Item>(
  items: readonly Item[],
  work: (items: readonly Item[]) => Promise<void>,
): Promise<Failure<Item>[]> {
  if (items.length === 0) return []
  try {
    await work(items)
    return []
  } catch (error) {
    const [item] = items
    if (items.length === 1) return [{ item: item!, error }]
  }
  const failures: Failure<Item>[] = []
  for (const item of items) failures.push(...(await attemptTogether([item], work)))
  return failures
}
