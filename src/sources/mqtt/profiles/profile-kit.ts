import type { RawReading } from '../../../core/reading.ts'
import { TopicReader } from '../reader.ts'
import { type ProfileName, profileNames } from './index.ts'

/** Reads messages as a hub in New York does that has no mapping, only profiles; for tests. */
export function profileReader({
  enabled = profileNames,
  prefix = '',
  now = Date.UTC(2026, 10, 30, 5, 1),
  zone = 'America/New_York',
  entities = 1000,
}: {
  readonly enabled?: readonly ProfileName[]
  readonly prefix?: string
  readonly now?: number
  readonly zone?: string
  readonly entities?: number
} = {}) {
  const reader = new TopicReader({
    mappings: [],
    payloadBytes: 65_536,
    profiles: { enabled, prefix, entities, discoveryPrefix: 'homeassistant', descriptionBytes: 1_000_000 },
    times: { zoneOf: () => zone, now: () => now },
  })
  const send = (topic: string, payload: unknown): RawReading[] | null =>
    reader.read(topic, Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
  /** `device metric value unit`, one line a reading. */
  const lines = (topic: string, payload: unknown): string[] => (send(topic, payload) ?? []).map(lineOf)
  return { reader, send, lines }
}

export const lineOf = ({ site, device, metric, value, unit, fault }: RawReading): string =>
  [...(site === undefined ? [] : [site]), device, metric, fault?.code ?? value, unit ?? '']
    .join(' ')
    .trimEnd()
