import { availability, ignored, onOff, type Profile, type TopicForm } from './profile.ts'

/**
 * Shelly of the first generation (shelly-api-docs.shelly.cloud/gen1): one bare value a topic, below `shellies/<id>`.
 * Energies of relays count Watt-minutes since the device started; those of meters, `total`, Wh. Channel 0 is the device.
 */
export const createShellyGen1 = (): Profile => ({
  name: 'shelly-gen1',
  filters: () => ['shellies/#'],
  form(topic) {
    const [first, device, ...rest] = topic.split('/')
    if (first !== 'shellies' || !device) return undefined
    const path = rest.join('/')
    if (rest.length === 0 || /^(announce|info|command|settings)$|\/(command|set)$/.test(path)) return ignored
    if (path === 'online') return { kind: 'text', read: (text) => availability(device, text) }
    const numbered = channelPath.exec(path)
    if (!numbered) return quantityOf(device, quantities[path])
    const [, component = '', number = '', field] = numbered
    const key = field === undefined ? component : `${component}/${field}`
    return quantityOf(channel(device, Number(number), component), channelQuantities[key])
  },
})

const channelPath =
  /^(relay|emeter|light|white|color|roller|input|ext_temperature|ext_humidity)\/(\d+)(?:\/(.+))?$/

/** A probe is a thing of its own, beside the sensor that is built in. */
function channel(device: string, number: number, component: string): string {
  if (component.startsWith('ext_')) return `${device}/ext${number}`
  return number === 0 ? device : `${device}/${number}`
}

type Quantity = readonly [metric: string, unit: string, factor?: number] | 'ignored'

const wattMinutes: Quantity = ['energy_total', 'kWh', 1 / 60_000]

const channelQuantities: Readonly<Record<string, Quantity>> = {
  relay: ['switch', 'state'],
  'relay/power': ['power', 'W'],
  'relay/energy': wattMinutes,
  'relay/overpower_value': 'ignored',
  light: ['switch', 'state'],
  'light/power': ['power', 'W'],
  'light/energy': wattMinutes,
  'light/status': 'ignored',
  white: ['switch', 'state'],
  'white/status': 'ignored',
  color: ['switch', 'state'],
  'color/status': 'ignored',
  roller: 'ignored',
  'roller/power': ['power', 'W'],
  'roller/energy': wattMinutes,
  'roller/pos': ['position', '%'],
  'emeter/power': ['power', 'W'],
  'emeter/reactive_power': ['reactive_power', 'var'],
  'emeter/pf': ['power_factor', ''],
  'emeter/voltage': ['voltage', 'V'],
  'emeter/current': ['current', 'A'],
  'emeter/total': ['energy_total', 'Wh'],
  'emeter/total_returned': ['energy_returned_total', 'Wh'],
  // they begin anew at each start; `total` does not
  'emeter/energy': 'ignored',
  'emeter/returned_energy': 'ignored',
  input: ['input', 'state'],
  ext_temperature: ['temperature', 'degC'],
  ext_humidity: ['humidity', '%'],
}

const quantities: Readonly<Record<string, Quantity>> = {
  temperature: ['internal_temperature', 'degC'],
  temperature_f: 'ignored',
  temperature_status: 'ignored',
  overtemperature: ['overtemperature', 'state'],
  voltage: ['voltage', 'V'],
  'sensor/temperature': ['temperature', 'degC'],
  'sensor/humidity': ['humidity', '%'],
  'sensor/battery': ['battery', '%'],
  'sensor/lux': ['illuminance', 'lx'],
  'sensor/motion': ['motion', 'state'],
  'sensor/smoke': ['smoke', 'state'],
  'sensor/flood': ['leak', 'state'],
  'sensor/gas': 'ignored',
  'sensor/concentration': ['gas_concentration', 'ppm'],
  'sensor/state': ['door', 'state'],
  'sensor/vibration': ['vibration', 'state'],
  'sensor/ext_power': ['external_power', 'state'],
  'sensor/error': 'ignored',
  'sensor/act_reasons': 'ignored',
}

function quantityOf(device: string, quantity: Quantity | undefined): TopicForm | undefined {
  if (quantity === undefined) return undefined
  if (quantity === 'ignored') return ignored
  const [metric, unit, factor] = quantity
  const measured = (text: string): unknown => {
    if (unit === 'state') return onOff(text) ?? text
    const number = text.trim() === '' ? Number.NaN : Number(text)
    return factor === undefined || !Number.isFinite(number) ? text : number * factor
  }
  return { kind: 'text', read: (text) => ({ rows: [{ device, metric, value: measured(text), unit }] }) }
}
