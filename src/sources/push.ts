import { HomeostatError, problem } from '../core/errors.ts'
import type { Emit, Receipt, SourceAdapter } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'

export interface PushSource extends SourceAdapter {
  /** Rejects with `stopping` while the hub does not take readings. */
  push(rows: readonly RawReading[]): Promise<Receipt>
}

/** Readings that somebody hands in: the HTTP API, an import. The answer waits for the commit. */
export function createPushSource(): PushSource {
  let emit: Emit | undefined
  return {
    name: 'push',
    health: () => ({ ready: emit !== undefined, detail: emit ? 'POST /api/v1/readings' : 'not started' }),
    async run(given, signal) {
      emit = given
      if (!signal.aborted) {
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        )
      }
      emit = undefined
    },
    push: (rows) => (emit ? emit(rows) : Promise.reject(new HomeostatError('stopping'))),
  }
}

/** Rows of a request body: a reading, a list of them, or `{readings: [...]}`. Undefined where it is none of these. */
export function rowsOf(body: unknown): RawReading[] | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  if (Array.isArray(body)) return body.map(toRaw)
  if ('readings' in body) return Array.isArray(body.readings) ? body.readings.map(toRaw) : undefined
  return [toRaw(body)]
}

/** How many rows a body has; undefined where `rowsOf` finds none. Cheap, unlike making the rows. */
export function countRows(body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const list: unknown = !Array.isArray(body) && 'readings' in body ? body.readings : body
  if (Array.isArray(list)) return list.length
  return list === body ? 1 : undefined
}

/** Far deeper than any reading, far from where writing it out again would run out of stack. */
const levelsMax = 16

function toRaw(row: unknown): RawReading {
  if (isDeep(row, levelsMax)) {
    const got = `something nested more than ${levelsMax} levels deep`
    return { source: 'push', fault: problem('reading_not_object', { got }), payload: '' }
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    const got = row === null ? 'null' : Array.isArray(row) ? 'a list' : `a ${typeof row}`
    return {
      source: 'push',
      fault: problem('reading_not_object', { got }),
      payload: JSON.stringify(row),
    }
  }
  const { site, device, metric, value, unit, at, room } = row as Record<string, unknown>
  return { source: 'push', site, device, metric, value, unit, at, room }
}

function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const key in value) if (isDeep((value as Record<string, unknown>)[key], levels - 1)) return true
  return false
}
