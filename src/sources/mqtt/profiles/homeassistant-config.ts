import { isObject, type JsonObject } from '../payload.ts'
import { compileTemplate, type Template } from './template.ts'

/** An entity as it was announced (home-assistant.io/integrations/mqtt, "MQTT discovery"), abbreviations written out. */
export interface Entity {
  /** Unique within the hub: topic of the announcement, and key of the component. */
  readonly key: string
  readonly platform: string
  readonly device: EntityDevice
  readonly objectId: string
  /** null: it has the name of its device. */
  readonly name: string | null | undefined
  readonly deviceClass: string | undefined
  readonly stateClass: string | undefined
  readonly unit: string | undefined
  readonly stateTopic: string | undefined
  /** Undefined: the payload itself. `unread`: the template is of a form that is not read. */
  readonly template: Template | 'unread' | undefined
  readonly templateText: string
  readonly payloadOn: string
  readonly payloadOff: string
  readonly availability: readonly Availability[]
  readonly availabilityMode: string
  /** Topics of commands and attributes. */
  readonly otherTopics: readonly string[]
}

export interface EntityDevice {
  readonly id: string
  readonly name: string | undefined
  readonly area: string | undefined
}

export interface Availability {
  readonly topic: string
  readonly template: Template | 'unread' | undefined
  readonly available: string
  readonly notAvailable: string
}

/** Only those that are used here; Home Assistant has some hundred more. */
const abbreviations: Readonly<Record<string, string>> = {
  avty: 'availability',
  avty_mode: 'availability_mode',
  avty_t: 'availability_topic',
  avty_tpl: 'availability_template',
  cmps: 'components',
  cmd_t: 'command_topic',
  dev: 'device',
  dev_cla: 'device_class',
  json_attr_t: 'json_attributes_topic',
  obj_id: 'object_id',
  p: 'platform',
  pl_avail: 'payload_available',
  pl_not_avail: 'payload_not_available',
  pl_off: 'payload_off',
  pl_on: 'payload_on',
  stat_cla: 'state_class',
  stat_t: 'state_topic',
  stat_val_tpl: 'state_value_template',
  uniq_id: 'unique_id',
  unit_of_meas: 'unit_of_measurement',
  val_tpl: 'value_template',
}

const deviceAbbreviations: Readonly<Record<string, string>> = {
  ids: 'identifiers',
  cns: 'connections',
  sa: 'suggested_area',
}

const writtenOut = (config: JsonObject, names: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [names[key] ?? key, value]))

export interface Announcement {
  /** Topic behind the prefix of discovery, e.g. `sensor/node/object/config`. */
  readonly topic: string
  readonly config: JsonObject
  /** What is in front of all topics of the site; an announcement may name topics with it or without it. */
  readonly before: string
}

/** The entities of an announcement, of one component (classic) or of a device with several. */
export function entitiesOf({ topic, config, before }: Announcement): Entity[] {
  const levels = topic.split('/').slice(0, -1)
  const [component = '', ...ids] = levels
  const whole = writtenOut(config, abbreviations)
  const device = deviceOf(whole['device'], ids[0] ?? '')
  if (component !== 'device') {
    const objectId = ids.at(-1) ?? ''
    return [entityOf({ key: topic, platform: component, objectId, device, before }, whole)]
  }
  const { components } = whole
  if (!isObject(components)) return []
  const { components: _components, ...shared } = whole
  return Object.entries(components).flatMap(([key, part]) => {
    if (!isObject(part)) return []
    const own = writtenOut(part, abbreviations)
    const platform = own['platform']
    // a component with nothing but its platform was removed
    if (typeof platform !== 'string' || Object.keys(own).length < 2) return []
    const place = { key: `${topic} ${key}`, platform, objectId: key, device, before }
    return [entityOf(place, { ...shared, ...own })]
  })
}

function deviceOf(given: unknown, fallback: string): EntityDevice {
  const device = isObject(given) ? writtenOut(given, deviceAbbreviations) : {}
  const { identifiers, connections, name, suggested_area: area } = device as Record<string, unknown>
  const first: unknown = Array.isArray(identifiers) ? identifiers[0] : identifiers
  const connection: unknown = Array.isArray(connections) ? connections[0] : undefined
  const address: unknown = Array.isArray(connection) ? connection[1] : undefined
  return {
    id: String(first ?? address ?? name ?? fallback),
    name: textOf(name),
    area: textOf(area),
  }
}

interface EntityPlace extends Pick<Entity, 'key' | 'platform' | 'objectId' | 'device'> {
  readonly before: string
}

function entityOf({ key, platform, objectId, device, before }: EntityPlace, config: JsonObject): Entity {
  const base = textOf(config['~'])
  const topicIn = (name: string, owner: JsonObject = config): string | undefined =>
    written(textOf(owner[name]), base, before)
  const templateText = textOf(config['value_template']) ?? textOf(config['state_value_template']) ?? ''
  return {
    ...{ key, platform, device, templateText },
    objectId: textOf(config['object_id']) ?? objectId,
    name: config['name'] === null ? null : textOf(config['name']),
    deviceClass: textOf(config['device_class']),
    stateClass: textOf(config['state_class']),
    unit: textOf(config['unit_of_measurement']),
    stateTopic: topicIn('state_topic'),
    template: templateOf(templateText),
    payloadOn: String(config['payload_on'] ?? 'ON'),
    payloadOff: String(config['payload_off'] ?? 'OFF'),
    availability: availabilityOf(config, topicIn),
    availabilityMode: textOf(config['availability_mode']) ?? 'latest',
    otherTopics: [topicIn('command_topic'), topicIn('json_attributes_topic')].filter(
      (topic) => topic !== undefined,
    ),
  }
}

function availabilityOf(
  config: JsonObject,
  topicIn: (name: string, owner?: JsonObject) => string | undefined,
): Availability[] {
  const listed: unknown = config['availability']
  const one = {
    ...config,
    topic: config['availability_topic'],
    value_template: config['availability_template'],
  }
  const shortened = { t: 'topic', val_tpl: 'value_template', ...abbreviations }
  const all: readonly unknown[] = Array.isArray(listed) ? listed : isObject(listed) ? [listed] : [one]
  return all.flatMap((given) => {
    const item = isObject(given) ? writtenOut(given, shortened) : {}
    const topic = topicIn('topic', item)
    if (topic === undefined) return []
    return {
      topic,
      template: templateOf(textOf(item['value_template']) ?? ''),
      available: String(item['payload_available'] ?? 'online'),
      notAvailable: String(item['payload_not_available'] ?? 'offline'),
    }
  })
}

const templateOf = (text: string): Entity['template'] =>
  text === '' ? undefined : (compileTemplate(text) ?? 'unread')

/** Replaces `~` at the beginning or the end of a topic by the base topic. */
function written(topic: string | undefined, base: string | undefined, before: string): string | undefined {
  let whole = topic
  if (base !== undefined && topic?.startsWith('~')) whole = `${base}${topic.slice(1)}`
  else if (base !== undefined && topic?.endsWith('~')) whole = `${topic.slice(0, -1)}${base}`
  return whole?.startsWith(before) ? whole.slice(before.length) : whole
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined
