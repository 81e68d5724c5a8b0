import type { TopicMapping } from '../api/types.ts'

/** A mapping as the form holds it. */
export interface Draft {
  readonly topic: string
  /** Used where neither payload nor topic names the device; empty: none. */
  readonly device: string
  readonly room: string
  readonly rows: readonly DraftRow[]
  /** What the form does not change. */
  readonly rest: TopicMapping
}

/** One value of the message. */
export interface DraftRow {
  /** Where it is in the payload; empty: it is the payload. */
  readonly path: string
  readonly metric: string
  readonly unit: string
  readonly isTaken: boolean
}

export function draftOf(mapping: TopicMapping): Draft {
  const { topic, metrics, defaults = {} } = mapping
  const rows: readonly DraftRow[] =
    mapping.payload === 'json'
      ? Object.entries(metrics ?? {}).map(([path, { metric, unit = '' }]) => ({
          ...{ path, metric, unit, isTaken: true },
        }))
      : [{ path: '', metric: defaults.metric ?? '', unit: defaults.unit ?? '', isTaken: true }]
  return { topic, device: defaults.device ?? '', room: defaults.room ?? '', rows, rest: mapping }
}

export function mappingOf({ topic, device, room, rows, rest }: Draft): TopicMapping {
  const { defaults: _defaults, metrics: _metrics, topic: _topic, ...kept } = rest
  const taken = rows.filter(({ isTaken }) => isTaken)
  const [only] = rest.payload === 'number' ? taken : []
  const defaults = filled({ device, room, metric: only?.metric, unit: only?.unit })
  const metrics = taken.map(({ path, metric, unit }) => [
    path,
    { metric: metric.trim(), ...filled({ unit }) },
  ])
  return {
    ...{ ...kept, topic: topic.trim() },
    ...(Object.keys(defaults).length > 0 ? { defaults } : {}),
    ...(rest.payload === 'json' ? { metrics: Object.fromEntries(metrics) } : {}),
  }
}

/** The texts that are not empty. */
const filled = <Key extends string>(
  texts: Readonly<Record<Key, string | undefined>>,
): { [K in Key]?: string } => {
  const kept: { [K in Key]?: string } = {}
  for (const key of Object.keys(texts) as Key[]) {
    const text = texts[key]?.trim()
    if (text) kept[key] = text
  }
  return kept
}

/** Why a draft cannot be a mapping yet; undefined: it can. */
export function draftFault({ topic, device, rows }: Draft): string | undefined {
  const taken = rows.filter(({ isTaken }) => isTaken)
  if (taken.length === 0) return 'Take at least one value.'
  if (device.trim() === '' && !topic.includes('{device}')) return 'Name the device.'
  const nameless = taken.some(({ metric }) => metric.trim() === '') && !topic.includes('{metric}')
  return nameless ? 'Name the metric of each value that is taken.' : undefined
}

/** The draft for all topics that differ in the level of the device only; undefined where no level names it. */
export function forAllDevices(draft: Draft): Draft | undefined {
  const levels = draft.topic.split('/')
  const index = levels.lastIndexOf(draft.device)
  if (draft.device === '' || index < 0) return undefined
  const topic = levels.map((level, at) => (at === index ? '{device}' : level)).join('/')
  return { ...draft, topic, device: '' }
}

/** A payload as it is shown: JSON over several lines. */
export function payloadText(payload: string): string {
  if (!/^\s*[{[]/.test(payload)) return payload
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}
