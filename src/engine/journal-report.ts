import type { JournalSpan } from '../core/journal.ts'
import type { Info } from '../core/life.ts'
import type { Clock, Ledger, Log } from '../core/ports.ts'

/** How far each store is in the journal. */
export interface Positions {
  readonly readings: number
  readonly ledger: number
}

/** What was found when the journal was opened. */
export interface Opening {
  readonly found: Positions
  readonly span: JournalSpan
  /** What was replayed. */
  readonly frames: number
  readonly rows: number
  /** When the first of these frames was written, UTC ms. */
  readonly firstAt: number | undefined
  /** The store of readings never had anything that was not in the journal. */
  readonly isComplete: boolean
  readonly startedMs: number
}

/** Tells in the log what was replayed, and tells people (as Infos) what of an acknowledgement may be lost. */
export async function reportOpening(
  {
    ledger,
    clock,
    log,
  }: { readonly ledger: Pick<Ledger, 'notes'>; readonly clock: Clock; readonly log: Log },
  opening: Opening,
): Promise<void> {
  const { span, frames, rows, startedMs } = opening
  if (span.cutBytes > 0)
    log.warn('The journal ends in a write that was cut short; nobody was told that it was stored.', {
      bytes: span.cutBytes,
    })
  if (frames > 0)
    log.info('The journal was replayed into the stores.', {
      ...{ frames, readings: rows, ms: Math.round(clock.monotonic() - startedMs) },
    })
  const losses = lossesOf(opening)
  if (losses.length === 0) return
  for (const { summary, detail } of losses) log.error(summary, { detail })
  const at = clock.now()
  await ledger.notes.putInfos(
    losses.map((loss, index): Info => ({ id: `journal-${at}-${index}`, at, site: null, level: 2, ...loss })),
  )
}

/** What of the ledger turns do not hold. */
const notInJournal = 'keys, settings, the schedule and what people did to incidents and models'

type Loss = Pick<Info, 'summary' | 'detail'>

/** Pure: what the positions of the stores and the frames of the journal tell about what is missing. */
export function lossesOf({
  found,
  span,
  firstAt,
  isComplete,
}: Omit<Opening, 'startedMs' | 'frames' | 'rows'>): Loss[] {
  const newest = Math.max(found.readings, found.ledger)
  const hasFrames = span.last >= span.first
  if (newest === 0 && span.first <= 1) return []
  const stores: readonly (readonly [string, number])[] = [
    ['store of readings', found.readings],
    ['ledger', found.ledger],
  ]
  if (!hasFrames) {
    const behind = stores.filter(([, position]) => position < newest).map(([name]) => name)
    const detail = `The stores hold everything up to turn ${newest}. What was acknowledged in the seconds after it, if anything, is lost${behind.length > 0 ? `, and the ${behind[0]} may lack the turns before it` : ''}.`
    return [{ summary: 'The journal is missing.', detail }]
  }
  const since = firstAt === undefined ? '' : ` of ${new Date(firstAt).toISOString()}`
  const losses = stores.flatMap(([name, position], index): Loss[] => {
    const other = stores[1 - index]![1]
    const besides = name === 'ledger' ? `, and so are ${notInJournal}` : ''
    if (position < span.first - 1)
      return [
        {
          summary: `The ${name} is missing or too old.`,
          detail: `It was rebuilt from the journal, which reaches back to turn ${span.first}${since}. What it held of earlier turns is lost${besides}; restore a backup to have it again.`,
        },
      ]
    if (position === 0 && other > 0 && name !== 'ledger' && isComplete)
      return [
        {
          summary: `The ${name} was missing.`,
          detail: `It was rebuilt from the journal, from turn ${span.first}${since} on, and lacks nothing.`,
        },
      ]
    if (position === 0 && other > 0)
      return [
        {
          summary: `The ${name} was missing.`,
          detail: `It was rebuilt from the journal, from turn ${span.first}${since} on. What was stored before there was a journal is lost${besides}; restore a backup to have it again.`,
        },
      ]
    return []
  })
  if (newest > span.last)
    losses.push({
      summary: 'The journal is older than the stores.',
      detail: `It ends with turn ${span.last}, a store has turn ${newest}. What only the journal held of later turns is lost.`,
    })
  return losses
}
