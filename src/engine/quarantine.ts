import type { Problem } from '../core/errors.ts'
import type { Quarantined } from '../core/event.ts'
import type { RawReading } from '../core/reading.ts'

/** So much of what arrived is kept, in characters. */
export const payloadKept = 1024

/** A row that did not become a reading, as the ledger keeps it. */
export const quarantined = (raw: RawReading, { code, message }: Problem, at: number): Quarantined => ({
  at,
  source: raw.source,
  code,
  message,
  payload: textOf(raw).slice(0, payloadKept),
  ...named('topic', raw.topic),
  ...named('device', raw.device),
  ...named('metric', raw.metric),
})

/** In characters; names of readings are shorter. */
const nameKept = 200

/** What the source could tell, where it is a name at all. */
function named<Key extends 'topic' | 'device' | 'metric'>(
  key: Key,
  value: unknown,
): { readonly [K in Key]?: string } {
  const name: { readonly [K in Key]?: string } = {}
  if (typeof value !== 'string' && typeof value !== 'number') return name
  return { ...name, [key]: String(value).slice(0, nameKept) }
}

/** What arrived, as text. */
function textOf(raw: RawReading): string {
  if (raw.payload !== undefined) return raw.payload
  try {
    return JSON.stringify({ ...raw, source: undefined })
  } catch {
    // deeper than the stack, or of a kind that JSON does not have
    return '(cannot be shown)'
  }
}
