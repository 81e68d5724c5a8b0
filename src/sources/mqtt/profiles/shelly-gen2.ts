import { isObject, type JsonObject, pick } from '../payload.ts'
import { availability, ignored, type Profile, type ProfileRead, type ProfileRow } from './profile.ts'

/**
 * Shelly of the second generation and later (shelly-api-docs.shelly.cloud/gen2): `<id>/status/<component>` has the whole
 * state of a component, `<id>/events/rpc` what has changed of several (NotifyStatus), with its time. Energies are Wh.
 * Component 0 is the device, another one a device of its own.
 */
export const createShellyGen2 = (): Profile => ({
  name: 'shelly-gen2',
  filters: () => ['+/status/+', '+/events/rpc', '+/online'],
  form(topic) {
    const levels = topic.split('/')
    const leaf = levels.at(-1) ?? ''
    if (levels.length >= 2 && leaf === 'online') {
      const device = levels.slice(0, -1).join('/')
      return { kind: 'text', read: (text) => availability(device, text) }
    }
    if (levels.length < 3) return undefined
    const device = levels.slice(0, -2).join('/')
    const kind = levels.at(-2)
    if (kind === 'events' && leaf === 'rpc') return { kind: 'json', read: (rpc) => readEvent(device, rpc) }
    if (kind !== 'status') return undefined
    if (silent.test(leaf)) return ignored
    if (!component.test(leaf)) return undefined
    return {
      kind: 'json',
      read(status) {
        if (!isObject(status)) return undefined
        const rows: ProfileRow[] = []
        const unread: string[] = []
        readComponent({ device, component: leaf, at: undefined, path: '' }, status, rows, unread)
        return { rows, unread }
      },
    }
  },
})

const component = /^[a-z][a-z0-9_]*:\d+$/

/** Components that measure nothing. */
const silent = /^(sys|wifi|eth|cloud|ble|mqtt|ws|ui|knx|matter|script:\d+|schedule|webhook|bthome|http_in)$/

function readEvent(device: string, rpc: unknown): ProfileRead | undefined {
  if (!isObject(rpc) || typeof rpc['method'] !== 'string') return undefined
  const { method, params } = rpc
  if (method !== 'NotifyStatus' && method !== 'NotifyFullStatus') return { rows: [] }
  if (!isObject(params)) return undefined
  const { ts } = params
  // a device that could not ask for the time sends null, or counts from its start
  const at = typeof ts === 'number' && ts > 1e9 ? Math.round(ts * 1000) : undefined
  const rows: ProfileRow[] = []
  const unread: string[] = []
  for (const [key, status] of Object.entries(params)) {
    if (key === 'ts' || silent.test(key) || !isObject(status)) continue
    const path = `params.${key}.`
    if (component.test(key)) readComponent({ device, component: key, at, path }, status, rows, unread)
    else unread.push(`params.${key}`)
  }
  return { rows, unread }
}

type Quantity = readonly [metric: string, unit: string]

/** By path within a component. */
const quantities: Readonly<Record<string, Quantity>> = {
  output: ['switch', 'state'],
  apower: ['power', 'W'],
  act_power: ['power', 'W'],
  total_act_power: ['power', 'W'],
  aprt_power: ['apparent_power', 'VA'],
  total_aprt_power: ['apparent_power', 'VA'],
  voltage: ['voltage', 'V'],
  current: ['current', 'A'],
  total_current: ['current', 'A'],
  pf: ['power_factor', ''],
  freq: ['frequency', 'Hz'],
  'aenergy.total': ['energy_total', 'Wh'],
  'ret_aenergy.total': ['energy_returned_total', 'Wh'],
  total_act: ['energy_total', 'Wh'],
  total_act_ret: ['energy_returned_total', 'Wh'],
  total_act_energy: ['energy_total', 'Wh'],
  total_act_ret_energy: ['energy_returned_total', 'Wh'],
  'temperature.tC': ['internal_temperature', 'degC'],
  tC: ['temperature', 'degC'],
  rh: ['humidity', '%'],
  lux: ['illuminance', 'lx'],
  'battery.percent': ['battery', '%'],
  'battery.V': ['battery_voltage', 'V'],
  'external.present': ['external_power', 'state'],
  brightness: ['brightness', '%'],
  current_pos: ['position', '%'],
}

/** What `state` and `alarm` of a component mean. */
const stateMetrics: Readonly<Record<string, string>> = {
  input: 'input',
  smoke: 'smoke',
  flood: 'leak',
  presence: 'occupied',
}

/** Descriptions, the same in another unit, settings, and what is over. */
const noReadings =
  /^(id|source|errors|flags|calibrated|user_calibrated_phase|timer_.*|transition.*|(.*\.)?tF|(ret_)?aenergy\.(by_minute|minute_ts)|counts.*|last_direction|move_.*|target_pos|pos_control|mute|illumination|slat_pos|debounce.*)$/

interface Component {
  readonly device: string
  readonly component: string
  readonly at: number | undefined
  /** Where the component is in the payload, for fields that are named. */
  readonly path: string
}

function readComponent(
  { device, component: name, at, path }: Component,
  status: JsonObject,
  rows: ProfileRow[],
  unread: string[],
): void {
  const [kind = '', number = '0'] = name.split(':')
  const owner = number === '0' ? device : `${device}/${number}`
  for (const field of fieldsOf(status)) {
    const value = pick(status, field)
    if (value === null || value === undefined || noReadings.test(field)) continue
    const [, phase, inner = field] = /^([abcn])_(.+)$/.exec(field) ?? []
    const metric = inner === 'state' || inner === 'alarm' ? stateMetrics[kind] : undefined
    const quantity: Quantity | undefined = metric === undefined ? quantities[inner] : [metric, 'state']
    if (!quantity || typeof value === 'object') {
      unread.push(`${path}${field}`)
      continue
    }
    const place = phase === undefined ? owner : `${owner}/${phase}`
    rows.push({ device: place, metric: quantity[0], value, unit: quantity[1], at })
  }
}

function fieldsOf(status: JsonObject): string[] {
  return Object.entries(status).flatMap(([key, value]) =>
    isObject(value) ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key],
  )
}
