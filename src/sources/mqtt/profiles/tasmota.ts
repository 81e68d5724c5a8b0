import { isObject, type JsonObject } from '../payload.ts'
import {
  availability,
  ignored,
  onOff,
  type Profile,
  type ProfileRead,
  type ProfileRow,
  type TopicForm,
} from './profile.ts'
import { readEnergy, readSensor, SensorSplits } from './tasmota-sensors.ts'

/**
 * Tasmota (tasmota.github.io/docs/MQTT): `tele/<topic>/SENSOR` and `STATE`, `LWT`, `stat/<topic>/POWER`; also with the
 * prefix behind the topic. `Time` is local time of the site, without an offset.
 */
export function createTasmota(): Profile {
  const splits = new SensorSplits()
  const sensors = (device: string): TopicForm => ({
    kind: 'json',
    read: (message) => (isObject(message) ? readSensors(device, message, splits) : undefined),
  })
  const states = (device: string): TopicForm => ({
    kind: 'json',
    read: (message) => (isObject(message) ? readState(device, message) : undefined),
  })
  return {
    name: 'tasmota',
    filters: () => ['tele/#', 'stat/#', '+/tele/+', '+/stat/+', 'tasmota/discovery/#'],
    form(topic) {
      if (topic.startsWith('tasmota/discovery/')) return ignored
      const address = addressOf(topic)
      if (!address) return undefined
      const { prefix, device, leaf } = address
      if (prefix === 'cmnd') return ignored
      if (prefix === 'tele') {
        if (leaf === 'SENSOR') return sensors(device)
        if (leaf === 'STATE') return states(device)
        if (leaf === 'LWT') return { kind: 'text', read: (text) => availability(device, text) }
        return /^(INFO\d|UPTIME|MARGINS|HASS_STATE|LOGGING)$/.test(leaf) ? ignored : undefined
      }
      if (/^POWER\d*$/.test(leaf))
        return { kind: 'text', read: (text) => ({ rows: [relay(device, leaf, text, undefined)] }) }
      if (leaf === 'STATUS8' || leaf === 'STATUS10') return nested('StatusSNS', sensors(device))
      if (leaf === 'STATUS11') return nested('StatusSTS', states(device))
      return /^(STATUS\d*|RESULT|LOGGING|UPGRADE)$/.test(leaf) ? ignored : undefined
    },
  }
}

interface Address {
  readonly prefix: string
  readonly device: string
  readonly leaf: string
}

const prefixes: readonly string[] = ['tele', 'stat', 'cmnd']

/** `tele/<topic>/SENSOR` or `<topic>/tele/SENSOR`; the topic may have several levels. */
function addressOf(topic: string): Address | undefined {
  const levels = topic.split('/')
  const leaf = levels.at(-1) ?? ''
  if (levels.length < 3) return undefined
  const first = levels[0] ?? ''
  if (prefixes.includes(first)) return { prefix: first, device: levels.slice(1, -1).join('/'), leaf }
  const second = levels.at(-2) ?? ''
  if (!prefixes.includes(second)) return undefined
  return { prefix: second, device: levels.slice(0, -2).join('/'), leaf }
}

const nested = (key: string, form: TopicForm): TopicForm => ({
  kind: 'json',
  read: (message) => (isObject(message) && form.kind === 'json' ? form.read(message[key]) : undefined),
})

/** Descriptions and the device's own diagnostics: no readings. */
const noReadings =
  /^(Time|.*Unit|ESP32|Uptime|UptimeSec|Heap|SleepMode|Sleep|LoadAvg|MqttCount|BerryV?m?|Wifi|Eth|Vcc|Hostname|IPAddress)$/i

/**
 * A device that could not ask for the time counts from 1970: then the message has no time of its own, and it was sent as
 * soon as it was measured.
 */
const timeOf = ({ Time: time }: JsonObject): unknown =>
  typeof time === 'string' && time.startsWith('1970-') ? undefined : time

function readSensors(device: string, message: JsonObject, splits: SensorSplits): ProfileRead {
  const rows: ProfileRow[] = []
  const unread: string[] = []
  const at = timeOf(message)
  const sources = Object.entries(message).filter(([key]) => !noReadings.test(key))
  splits.see(device, sources)
  for (const [name, value] of sources) {
    if (name === 'ENERGY' && isObject(value)) readEnergy({ device, at }, value, rows, unread)
    else if (isObject(value)) readSensor({ device, name, at, message, splits }, value, rows, unread)
    else if (/^(Switch|PIR)\d+$/.test(name)) {
      const metric = `input_${name.replace(/\D/g, '')}`
      rows.push({ device, metric, value: onOff(String(value)) ?? value, unit: 'state', at })
    } else unread.push(name)
  }
  return { rows, unread }
}

function readState(device: string, message: JsonObject): ProfileRead {
  const rows: ProfileRow[] = []
  const unread: string[] = []
  const at = timeOf(message)
  for (const [key, value] of Object.entries(message)) {
    if (/^POWER\d*$/.test(key)) rows.push(relay(device, key, String(value), at))
    else if (key === 'Dimmer') rows.push({ device, metric: 'brightness', value, unit: '%', at })
    else if (!noReadings.test(key)) unread.push(key)
  }
  return { rows, unread }
}

/** Channel 1 is the device itself. */
export const channel = (device: string, number: number): string =>
  number <= 1 ? device : `${device}/${number}`

function relay(device: string, leaf: string, text: string, at: unknown): ProfileRow {
  const number = Number(leaf.slice('POWER'.length) || 1)
  return {
    device: channel(device, number),
    metric: 'switch',
    value: onOff(text) ?? text,
    unit: 'state',
    at,
  }
}
