import { existsSync, readFileSync } from 'node:fs'
import { type Layout, type Message, messageOf } from '../../bench/load/spec.ts'

/** A load's readings and the file in which its process wrote down each acknowledgement at once. */
export interface Told {
  readonly layout: Layout
  readonly ackLog: string
}

export interface Found {
  /** Readings that were acknowledged, each once, however often it was sent. */
  readonly acknowledged: number
  readonly stored: number
  /** Acknowledged, but not stored with the value that was sent. */
  readonly lost: number
  /** How many of `lost`, by the prefix of their load. */
  readonly lostBy: Readonly<Record<string, number>>
  /** Stored more than once for one (series, at). */
  readonly twice: number
  /** Stored, but never sent in this form. */
  readonly strange: number
}

type StoredReading = Pick<Message, 'device' | 'metric' | 'value' | 'at'>

/** Compares what was acknowledged with what is stored, reading by reading. */
export function compare(told: readonly Told[], stored: readonly StoredReading[]): Found {
  const found = new Set<string>()
  let [twice, strange] = [0, 0]
  for (const reading of stored) {
    const key = keyOf(told, reading)
    if (key === undefined) strange++
    else if (found.has(key)) twice++
    else found.add(key)
  }
  const acknowledged = new Set(told.flatMap(({ layout, ackLog }) => acknowledgedOf(layout, ackLog)))
  const lostBy: Record<string, number> = {}
  for (const key of acknowledged) {
    if (found.has(key)) continue
    const prefix = key.slice(0, key.indexOf(' '))
    lostBy[prefix] = (lostBy[prefix] ?? 0) + 1
  }
  const lost = Object.values(lostBy).reduce((sum, count) => sum + count, 0)
  return { acknowledged: acknowledged.size, stored: stored.length, lost, lostBy, twice, strange }
}

/** Which of the sent readings this is; undefined where none is like it. */
function keyOf(told: readonly Told[], reading: StoredReading): string | undefined {
  const [, prefix, client] = /^(.*-)(\d+)-\d+$/.exec(reading.device) ?? []
  const layout = told.find((one) => one.layout.prefix === prefix)?.layout
  if (layout === undefined) return undefined
  const k = reading.at - layout.baseAt
  if (!Number.isInteger(k) || k < 0) return undefined
  const sent = messageOf(layout, Number(client), k)
  const same =
    sent.device === reading.device && sent.metric === reading.metric && sent.value === reading.value
  return same ? `${prefix} ${client} ${k}` : undefined
}

function acknowledgedOf({ prefix }: Layout, ackLog: string): string[] {
  if (!existsSync(ackLog)) return []
  // a load process is never killed, so every line is whole
  const lines = readFileSync(ackLog, 'utf8').split('\n')
  return lines.flatMap((line) => (line === '' ? [] : [`${prefix} ${line}`]))
}
