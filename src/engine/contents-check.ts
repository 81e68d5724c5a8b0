import type { FolderContents, KnownContents, StoreName } from '../core/contents.ts'
import { HomeostatError } from '../core/errors.ts'
import type { JournalSpan } from '../core/journal.ts'
import type { Positions } from './journal-report.ts'

const names: Readonly<Record<StoreName, string>> = {
  ledger: 'the ledger (ledger.db: keys, settings, sites, alerts)',
  readings: 'the store of readings (readings.duckdb)',
  journal: 'the journal (journal/*.journal)',
}

/**
 * Before the stores are opened, which would make those that are missing: throws `data_lost` where a store of a folder that
 * had data has no file, unless the loss is accepted. A store of readings that the journal can rebuild whole is no loss.
 * Resolves with whether the folder has no readings yet, in a store or in the journal.
 */
export async function requireStores(contents: FolderContents): Promise<boolean> {
  const { known, acceptLoss, folder } = contents
  const present = await contents.present()
  const missing = (['ledger', 'readings', 'journal'] as const).filter((store) => !present[store])
  if (!known) return !present.readings && !present.journal
  const isRebuilt = missing.every((store) => store === 'readings') && isWhole(known, present.journalFirst)
  if (missing.length > 0 && !isRebuilt && !acceptLoss) {
    const lost = missing.map((store) => names[store]).join(' and ')
    throw new HomeostatError('data_lost', {
      folder,
      detail: `${lost} is missing or empty${whyNot(missing, known)}`,
    })
  }
  for (const store of missing) await contents.setAside(store)
  return false
}

const isWhole = ({ isComplete }: KnownContents, journalFirst: number | undefined): boolean =>
  isComplete && journalFirst === 1

function whyNot(missing: readonly StoreName[], { isComplete }: KnownContents): string {
  if (missing.length > 1 || missing[0] !== 'readings') return ''
  return isComplete
    ? ', and the journal does not reach back to the first turn'
    : ', and what was stored before there was a journal is in no other file'
}

/**
 * After the journal was opened and before anything of it is replayed: throws `data_lost` where a store lacks turns that
 * the journal does not have, unless the loss is accepted.
 */
export function requireTurns(
  contents: FolderContents,
  { readings, ledger }: Positions,
  { first, last }: JournalSpan,
): void {
  const { known, acceptLoss, folder } = contents
  if (acceptLoss) return
  const refuse = (detail: string): never => {
    throw new HomeostatError('data_lost', { folder, detail })
  }
  const newest = Math.max(readings, ledger)
  if (last < first && newest > 0) {
    // what was acknowledged is in the stores
    if (known && Math.min(readings, ledger) >= known.journal) return
    refuse('the journal has no turns, and those that only it had are lost')
  }
  const stores = [
    ['store of readings', readings],
    ['ledger', ledger],
  ] as const
  for (const [store, position] of stores) {
    if (position < first - 1)
      refuse(`the ${store} has turns up to ${position}, and the journal begins with turn ${first}`)
  }
  if (!known && ledger === 0 && readings > 0) refuse('the ledger is missing or empty')
  const reached = Math.max(last, Math.min(readings, ledger))
  if (known && reached < known.journal)
    refuse(
      `the journal ends with turn ${last}, but turns up to ${known.journal} were acknowledged; its end was deleted or damaged`,
    )
}
