import { isObject, leafPaths, parsePayload, pick } from '../payload.ts'
import {
  availability,
  ignored,
  type Profile,
  type ProfileOptions,
  type ProfileRead,
  type TopicForm,
} from './profile.ts'
import { isNoReading, type Property, propertiesOf, usualProperty } from './zigbee2mqtt-exposes.ts'

/** Zigbee2MQTT's own base topic; others are known by their `bridge/devices`. */
const usualBase = 'zigbee2mqtt'

/** Several coordinators of one home, each with a base topic of its own. */
const basesMax = 100

/**
 * Zigbee2MQTT (zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages): `<base>/<friendly name>` with the state of a device,
 * whose name may contain slashes. What its properties are and their units is in `<base>/bridge/devices`; until that is
 * heard, properties with one usual unit are read.
 */
export function createZigbee2mqtt({ entities: devicesMax }: ProfileOptions): Profile {
  const bases = new Map<string, Map<string, readonly Property[]>>([[usualBase, new Map()]])
  const describe = (base: string, text: string): void => {
    const devices = devicesOf(text)
    if (!devices) return
    const others = [...bases].reduce((sum, [name, { size }]) => sum + (name === base ? 0 : size), 0)
    if (devices.size + others > devicesMax || (!bases.has(base) && bases.size >= basesMax)) return
    bases.set(base, devices)
  }
  const baseOf = (topic: string): string | undefined =>
    [...bases.keys()]
      .filter((base) => topic.startsWith(`${base}/`))
      .reduce<string | undefined>((a, b) => (a === undefined || b.length > a.length ? b : a), undefined)
  return {
    name: 'zigbee2mqtt',
    filters: () => [...[...bases.keys()].map((base) => `${base}/#`), '+/bridge/devices'],
    form(topic) {
      const [, described] = /^(.+)\/bridge\/devices$/.exec(topic) ?? []
      if (described !== undefined) return { kind: 'description', read: (text) => describe(described, text) }
      const base = baseOf(topic)
      if (base === undefined) return undefined
      const name = topic.slice(base.length + 1)
      if (name.startsWith('bridge/')) return ignored
      return formOf(name, base === usualBase ? name : `${base}/${name}`, bases.get(base) ?? new Map())
    },
  }
}

/** `device` is `name`, behind the base where that is not the usual one. */
function formOf(
  name: string,
  device: string,
  devices: ReadonlyMap<string, readonly Property[]>,
): TopicForm | undefined {
  const properties = devices.get(name)
  // a name that is described may end like a command
  if (properties) return { kind: 'json', read: (message) => readState(device, message, properties) }
  if (/\/(set|get)(\/[^/]+)?$/.test(name)) return ignored
  if (name.endsWith('/availability')) {
    const owner = device.slice(0, -'/availability'.length)
    return { kind: 'text', read: (text) => availability(owner, stateIn(text)) }
  }
  return { kind: 'json', read: (message) => readState(device, message, undefined) }
}

/** `{"state":"online"}`; older versions send the word alone. */
function stateIn(text: string): string {
  const parsed = parsePayload(text)
  return 'value' in parsed && isObject(parsed.value) ? String(parsed.value['state']) : text
}

function readState(
  device: string,
  message: unknown,
  described: readonly Property[] | undefined,
): ProfileRead | undefined {
  if (!isObject(message)) return undefined
  const leaves = leafPaths(message).filter((path) => !isNoReading(path))
  const properties = described ?? leaves.flatMap((path) => usualProperty(path) ?? [])
  const { last_seen: at } = message
  const rows = properties.flatMap(({ path, metric, unit, endpoint, on, off }) => {
    const value = pick(message, path)
    if (value === undefined || value === null) return []
    const owner = endpoint === undefined ? device : `${device}/${endpoint}`
    const state = value === on ? 1 : value === off ? 0 : value
    return { device: owner, metric, value: state, unit, at: at === 'unknown' ? undefined : at }
  })
  const read = new Set(properties.map(({ path }) => path))
  return { rows, unread: leaves.filter((path) => !read.has(path)) }
}

/** The properties of all devices, by friendly name; undefined where the text is no inventory. */
function devicesOf(text: string): Map<string, readonly Property[]> | undefined {
  const parsed = parsePayload(text)
  const list: unknown = 'value' in parsed ? parsed.value : undefined
  if (!Array.isArray(list)) return undefined
  const devices = new Map<string, readonly Property[]>()
  for (const device of list as readonly unknown[]) {
    if (!isObject(device) || typeof device['ieee_address'] !== 'string') continue
    const { friendly_name: name, definition } = device
    if (typeof name === 'string' && isObject(definition))
      devices.set(name, propertiesOf(definition['exposes']))
  }
  return devices
}
