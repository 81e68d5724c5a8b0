import { HomeostatError } from '../core/errors.ts'
import type { Quarantined } from '../core/event.ts'
import type { Ledger, ReadingStore } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'
import { emptyFacts, type LedgerTurn } from '../core/turn.ts'

/** So much of what was refused is kept, in characters. */
const payloadKept = 1024

/** A store will never take what it was given. */
export const isRefusal = (error: unknown): error is HomeostatError =>
  error instanceof HomeostatError && error.code === 'turn_refused'

/**
 * Appends what the store takes of readings that it refuses as a whole, and returns the rows of quarantine for the others.
 * The position comes last, with nothing else. `at`: when the turn was committed, UTC ms.
 */
export async function appendParts(
  store: Pick<ReadingStore, 'append'>,
  readings: readonly Reading[],
  position: number,
  at: number,
): Promise<Quarantined[]> {
  const refused: Quarantined[] = []
  const append = async (rows: readonly Reading[]): Promise<void> => {
    const error = await refusalOf(() => store.append(rows))
    if (!error) return
    if (rows.length === 1) refused.push(quarantined('reading', rows[0], error, at))
    else for (const half of halvesOf(rows)) await append(half)
  }
  if (readings.length > 0) await append(readings)
  await store.append([], position)
  return refused
}

/**
 * Records what the ledger takes of facts that it refuses as a whole; the others are recorded as rows of quarantine,
 * together with the position. Resolves with these rows. `at`: when the turn was committed, UTC ms.
 */
export async function recordParts(
  ledger: Pick<Ledger, 'record'>,
  facts: LedgerTurn,
  position: number,
  at: number,
): Promise<Quarantined[]> {
  const refused: Quarantined[] = []
  // rows of quarantine have no key, so they come once, with the position
  for (const [kind, list] of Object.entries({ ...facts, quarantined: [] })) {
    for (const fact of list) {
      const error = await refusalOf(() => ledger.record({ ...emptyFacts, [kind]: [fact] }))
      if (error) refused.push(quarantined(kind, fact, error, at))
    }
  }
  const rows = [...facts.quarantined, ...refused]
  const error = await refusalOf(() => ledger.record({ ...emptyFacts, quarantined: rows }, position))
  if (!error) return refused
  // one of the turn's own rows of quarantine
  const replaced = facts.quarantined.map((row) => quarantined('quarantined', row, error, at))
  await ledger.record({ ...emptyFacts, quarantined: [...replaced, ...refused] }, position)
  return [...replaced, ...refused]
}

export function halvesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const middle = items.length >> 1
  return [items.slice(0, middle), items.slice(middle)]
}

/** Rejects with any error that is no refusal. */
async function refusalOf(work: () => Promise<void>): Promise<HomeostatError | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

const quarantined = (
  kind: string,
  part: unknown,
  { code, message }: HomeostatError,
  at: number,
): Quarantined => ({
  at,
  source: 'journal',
  code,
  message: `${message} (${kind})`,
  payload: (JSON.stringify(part) ?? '').slice(0, payloadKept),
})
