import { type Problem, problem } from '../core/errors.ts'
import type { WindowStore } from '../core/ports.ts'
import { type ParseContext, parseReading, type RawReading, type Reading } from '../core/reading.ts'
import { convert } from '../core/units.ts'
import type { Directory } from './directory.ts'

/** Parses a row, finds the device that it is of, and checks it against its series: its unit, the number of series, and times that the hub set. */
export function admit(
  raw: RawReading,
  context: ParseContext,
  windows: Pick<WindowStore, 'find' | 'newestAt' | 'forgetAfter'>,
  series: { readonly count: number; readonly limit: number },
  directory: Pick<Directory, 'place'>,
): Reading | Problem {
  const parsed = parseReading(raw, context)
  if (!parsed.ok) return parsed.problem
  let reading = directory.place(parsed.reading)
  const known = windows.find(reading)
  if (!known) return series.count < series.limit ? reading : problem('series_limit', { limit: series.limit })
  if (known.unit !== reading.unit && known.unit !== 'raw') {
    const value = reading.unit === 'raw' ? reading.value : convert(reading.value, reading.unit, known.unit)
    if (value === undefined) return problem('unit_changed', { was: known.unit, unit: reading.unit })
    if (!Number.isFinite(value)) {
      const { value: got, unit } = reading
      return problem('value_too_large', { got, unit, canonical: known.unit })
    }
    reading = { ...reading, value, unit: known.unit }
  }
  if (parsed.stamped) {
    // two messages of one sensor without a time of their own, within one millisecond, are two readings
    const newestAt = windows.newestAt(reading)
    if (newestAt >= reading.at && newestAt < reading.at + 1000) reading = { ...reading, at: newestAt + 1 }
  }
  // stored while the clock of the hub was ahead: it must not stay the newest until that time has come
  const latestMs = context.now + context.maxFutureMs
  if (windows.newestAt(reading) > latestMs) windows.forgetAfter(reading, latestMs)
  return reading
}
