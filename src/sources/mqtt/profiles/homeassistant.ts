import { problem } from '../../../core/errors.ts'
import { isObject, parsePayload } from '../payload.ts'
import { type Availability, type Entity, entitiesOf } from './homeassistant-config.ts'
import { type EntitySeries, seriesOf } from './homeassistant-names.ts'
import { ignored, type Profile, type ProfileOptions, type ProfileRead, type ProfileRow } from './profile.ts'

/**
 * Devices that announce themselves to Home Assistant (home-assistant.io/integrations/mqtt, "MQTT discovery"): sensors,
 * binary sensors and switches become series; the topics of other platforms are not read.
 */
export function createHomeAssistant({
  entities: entitiesMax,
  discoveryPrefix,
  before,
}: ProfileOptions): Profile {
  const announced = new Map<string, readonly Entity[]>()
  let count = 0
  let index: Index | undefined
  const current = (): Index => {
    index ??= indexOf(announced)
    return index
  }
  const announce = (topic: string, text: string): void => {
    const known = announced.get(topic)?.length ?? 0
    const parsed = text.trim() === '' ? undefined : parsePayload(text)
    const config = parsed && 'value' in parsed ? parsed.value : undefined
    // an announcement that cannot be read leaves what there was; an empty one removes it
    if (parsed && !isObject(config)) return
    const entities = isObject(config) ? entitiesOf({ topic, config, before }) : []
    if (count - known + entities.length > entitiesMax) return
    count += entities.length - known
    if (entities.length > 0) announced.set(topic, entities)
    else announced.delete(topic)
    index = undefined
  }
  return {
    name: 'homeassistant',
    filters: () => [`${discoveryPrefix}/#`, ...current().readers.keys(), ...current().availability.keys()],
    form(topic) {
      if (topic.startsWith(`${discoveryPrefix}/`)) {
        const path = topic.slice(discoveryPrefix.length + 1)
        if (/^[^/]+\/([^/]+\/){1,2}config$/.test(path))
          return { kind: 'description', read: (text) => announce(path, text) }
        if (path === 'status') return ignored
      }
      const { readers, availability, others } = current()
      const entities = readers.get(topic)
      const gates = availability.get(topic)
      if (!entities && !gates) return others.has(topic) ? ignored : undefined
      return {
        kind: 'text',
        read: (text) => {
          const read = entities ? readStates(entities, text) : { rows: [] }
          return gates ? { ...read, rows: [...read.rows, ...readAvailability(gates, topic, text)] } : read
        },
      }
    },
  }
}

type Reader = readonly [Entity, EntitySeries]

/** By topic, what is on it. */
interface Index {
  readonly readers: ReadonlyMap<string, readonly Reader[]>
  readonly availability: ReadonlyMap<string, readonly Gate[]>
  readonly others: ReadonlySet<string>
}

/** Whether a device can be reached, by one or several topics. */
interface Gate {
  readonly device: string
  readonly of: Availability
  readonly mode: string
  /** Last states by topic, shared by the gates of a device. */
  readonly states: Map<string, boolean>
}

const platforms: readonly string[] = ['sensor', 'binary_sensor', 'switch']

function indexOf(announced: ReadonlyMap<string, readonly Entity[]>): Index {
  const all = [...announced.values()].flat()
  const series = seriesOf(all.filter(({ platform }) => platforms.includes(platform)))
  const readers = new Map<string, Reader[]>()
  const availability = new Map<string, Gate[]>()
  const states = new Map<string, Map<string, boolean>>()
  for (const [entity, place] of series) {
    if (entity.stateTopic !== undefined) append(readers, entity.stateTopic, [entity, place])
    const { owner } = place
    for (const of of entity.availability) {
      const gates = availability.get(of.topic) ?? []
      if (gates.some(({ device }) => device === owner)) continue
      const known = states.get(owner) ?? new Map<string, boolean>()
      states.set(owner, known)
      append(availability, of.topic, { device: owner, of, mode: entity.availabilityMode, states: known })
    }
  }
  return { readers, availability, others: new Set(all.flatMap(({ otherTopics }) => otherTopics)) }
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

/** How Home Assistant and devices write that there is no value. */
const noValue = /^(none|unknown|unavailable|null|)$/i

function readStates(readers: readonly Reader[], text: string): ProfileRead {
  const parsed = parsePayload(text)
  const json = 'value' in parsed ? parsed.value : undefined
  const rows: ProfileRow[] = []
  for (const [entity, { device, metric, unit }] of readers) {
    const { template } = entity
    const place = { device, metric, unit, room: entity.device.area }
    if (template === 'unread') {
      const fault = problem('template_unread', { template: entity.templateText.slice(0, 200) })
      rows.push({ ...place, value: undefined, fault })
      continue
    }
    const value = template ? template({ value: text, json }) : text
    if (value === undefined || value === null || (typeof value === 'string' && noValue.test(value.trim())))
      continue
    rows.push({ ...place, value: entity.platform === 'sensor' ? value : stateOf(entity, value) })
  }
  return { rows, unread: unreadKeys(readers, json) }
}

/** Templates render booleans as Python does: True. */
function stateOf({ payloadOn, payloadOff }: Entity, value: unknown): unknown {
  const text = String(value).trim().toLowerCase()
  if (text === payloadOn.toLowerCase()) return 1
  return text === payloadOff.toLowerCase() ? 0 : value
}

/** Members of the payload that no template names. */
function unreadKeys(readers: readonly Reader[], json: unknown): string[] {
  if (!isObject(json)) return []
  const templates = readers.map(([{ templateText }]) => templateText).join('\n')
  return Object.keys(json).filter((key) => !templates.includes(key))
}

function readAvailability(gates: readonly Gate[], topic: string, text: string): ProfileRow[] {
  return gates.flatMap(({ device, of, mode, states }) => {
    if (of.template === 'unread') return []
    const parsed = parsePayload(text)
    const json = 'value' in parsed ? parsed.value : undefined
    const state = String(of.template ? of.template({ value: text, json }) : text).trim()
    if (state !== of.available && state !== of.notAvailable) return []
    states.set(topic, state === of.available)
    const known = [...states.values()]
    const isAvailable =
      mode === 'all' ? known.every(Boolean) : mode === 'any' ? known.some(Boolean) : state === of.available
    return { device, metric: 'available', value: isAvailable ? 1 : 0, unit: 'state' }
  })
}
