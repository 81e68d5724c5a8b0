import type { Log, Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import type { MqttTopics } from '../core/topics.ts'
import type { Engine } from '../engine/engine.ts'
import { QuarantineDesk } from '../engine/quarantine-desk.ts'
import { type CheckOptions, checkRow } from '../engine/row-check.ts'
import { TopicDesk } from '../engine/topic-desk.ts'
import type { Hub } from './hub.ts'

export interface DeskParts {
  readonly engine: Engine
  readonly topics: MqttTopics
  readonly log: Log
  readonly take: (rows: readonly RawReading[]) => Promise<Receipt>
  readonly checks: CheckOptions
  readonly limits: { readonly topicMappings: number; readonly recordBytes: number }
}

/** The desks of topics and of the quarantine. The engine must be open. */
export async function openDesks({
  engine,
  topics,
  log,
  take,
  checks,
  limits,
}: DeskParts): Promise<Pick<Hub, 'topics' | 'quarantine'>> {
  const { ledger, clock } = engine
  const check = (raw: RawReading) => checkRow(engine, checks, raw)
  const bounds = { recordsPerDomain: limits.topicMappings, recordBytes: limits.recordBytes }
  const desk = new TopicDesk({ topics, records: ledger.records, clock, limits: bounds, log, check })
  await desk.load()
  return { topics: desk, quarantine: new QuarantineDesk({ ledger, topics, check, take }) }
}
