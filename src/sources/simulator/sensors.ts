import type { Device } from '../../core/event.ts'
import { canonicalUnit } from '../../core/units.ts'
import { clamp, type Random } from './chance.ts'
import type { SeriesKind } from './faults.ts'
import { type RoomName, roomNames } from './plan.ts'
import { illuminance, outdoorCo2, relativeHumidity } from './rooms.ts'
import type { MeteredAppliance, Scene, World } from './world.ts'

/** One series of a device. `read` gives the value as the sensor shows it; `seconds` since its last reading. */
export interface Channel {
  readonly device: string
  readonly metric: string
  readonly unit: string
  readonly room: string
  readonly kind: SeriesKind
  /** Digits after the point that the sensor sends. */
  readonly digits: number
  read(scene: Scene, seconds: number): number
}

export interface Fittings {
  readonly devices: readonly Device[]
  /** Read at every step. */
  readonly channels: readonly Channel[]
}

/** How a series is called within its home. */
export const seriesName = ({
  device,
  metric,
}: {
  readonly device: string
  readonly metric: string
}): string => `${device}/${metric}`

/** What the counters of a home measure. */
export const counterMetric = 'energy_total'

type Attributes = Device['attributes']

const co2Rooms: readonly RoomName[] = ['living-room', 'bedroom', 'kids-room', 'office']
const noiseRooms: readonly RoomName[] = ['living-room', 'bedroom']
const lightRooms: readonly RoomName[] = ['living-room', 'kitchen', 'hall']

/** name on the plug, device id, room, rated W, whether it can be switched off and later on without harm */
const plugs: readonly (readonly [MeteredAppliance, string, string, number, boolean])[] = [
  ['fridge', 'fridge', 'kitchen', 105, false],
  ['oven', 'oven', 'kitchen', 4200, false],
  ['kettle', 'kettle', 'kitchen', 2200, false],
  ['dishwasher', 'dishwasher', 'kitchen', 1900, true],
  ['washingMachine', 'washing-machine', 'bathroom', 2100, true],
  ['tumbleDryer', 'tumble-dryer', 'bathroom', 700, true],
  ['tv', 'tv', 'living-room', 140, false],
  ['computer', 'computer', 'office', 150, false],
  ['evCharger', 'ev-charger', 'garage', 7400, true],
  ['heatPump', 'heat-pump', 'utility-room', 3200, true],
]

/** All sampled sensors of a home. Noise and digits are those of common parts (SHT3x, SCD4x, BH1750, SGP30, SPS30). */
export function createFittings(site: string, world: World, random: Random): Fittings {
  const devices: Device[] = []
  const channels: Channel[] = []
  const device = (id: string, type: string, room: string, attributes: Attributes = {}): void => {
    devices.push({ site, id, type, room, attributes })
  }
  /** Adds series to the newest device. */
  const measure = (
    metric: string,
    digits: number,
    read: Channel['read'],
    kind: SeriesKind = 'sampled',
  ): void => {
    const owner = devices.at(-1)
    if (!owner) return
    const unit = canonicalUnit(metric) ?? 'raw'
    channels.push({ device: owner.id, metric, unit, room: owner.room ?? '', kind, digits, read })
  }
  const noisy =
    (sigma: number, read: (scene: Scene) => number): Channel['read'] =>
    (scene) =>
      read(scene) + sigma * random.normal()

  climate(device, measure, noisy)
  smokeDetector(device, measure, noisy)
  weatherStation(device, measure, noisy)
  for (const [name, id, room, ratedW, switchable] of plugs) {
    device(id, 'appliance', room, { ratedW, switchable })
    measure(
      'power',
      1,
      meanPower((scene) => scene.counters[name].joules),
    )
    measure(counterMetric, 3, (scene) => scene.counters[name].kwh, 'counter')
  }
  meters(device, measure, world)
  return { devices, channels }
}

type AddDevice = (id: string, type: string, room: string, attributes?: Attributes) => void
type Measure = (metric: string, digits: number, read: Channel['read'], kind?: SeriesKind) => void
type Noisy = (sigma: number, read: (scene: Scene) => number) => Channel['read']

function climate(device: AddDevice, measure: Measure, noisy: Noisy): void {
  for (const name of roomNames) {
    device(`${name}-climate`, 'climate', name)
    measure(
      'temperature',
      2,
      noisy(0.03, (scene) => scene.rooms[name].air),
    )
    measure(
      'humidity',
      1,
      noisy(0.15, (scene) => relativeHumidity(scene.rooms[name])),
    )
    if (co2Rooms.includes(name)) {
      const read = noisy(5, (scene) => scene.rooms[name].co2)
      // such sensors take the lowest value of the week for fresh air
      measure('co2', 0, (scene, seconds) => Math.max(outdoorCo2, read(scene, seconds)))
    }
    if (noiseRooms.includes(name))
      measure(
        'noise',
        1,
        noisy(0.9, (scene) => soundLevel(scene, name)),
      )
  }
  for (const name of lightRooms) {
    device(`${name}-light`, 'light-sensor', name)
    const read = (scene: Scene): number => illuminance(scene.rooms[name])
    const grain = noisy(0.012, () => 1)
    measure('illuminance', 0, (scene, seconds) => Math.max(0, read(scene) * grain(scene, seconds)))
  }
  device('thermostat', 'thermostat', 'living-room', { switchable: true })
  measure('setpoint', 1, (scene) => scene.setpoint)
}

function smokeDetector(device: AddDevice, measure: Measure, noisy: Noisy): void {
  device('kitchen-smoke', 'smoke-detector', 'kitchen')
  // it hangs under the ceiling
  measure(
    'temperature',
    2,
    noisy(0.04, (scene) => scene.rooms.kitchen.air + 0.9),
  )
  measure(
    'humidity',
    1,
    noisy(0.2, (scene) => relativeHumidity(scene.rooms.kitchen) * 0.95),
  )
  measure(
    'tvoc',
    0,
    noisy(2, (scene) => Math.max(2, scene.air.tvoc)),
  )
  measure(
    'eco2',
    0,
    noisy(0.3, (scene) => scene.air.eco2 + 1),
  )
  measure(
    'raw_h2',
    0,
    noisy(6, (scene) => scene.air.rawH2),
  )
  measure(
    'raw_ethanol',
    0,
    noisy(7, (scene) => scene.air.rawEthanol),
  )
  measure(
    'pressure',
    2,
    noisy(0.03, (scene) => scene.sky.pressure),
  )
  measure('pm1', 2, (scene) => scene.air.pm1)
  measure('pm2_5', 2, (scene) => scene.air.pm25)
  measure('nc0_5', 2, (scene) => scene.air.nc05)
  measure('nc1_0', 2, (scene) => scene.air.nc10)
  measure('nc2_5', 2, (scene) => scene.air.nc25)
}

function weatherStation(device: AddDevice, measure: Measure, noisy: Noisy): void {
  device('weather-station', 'weather-station', 'outdoors')
  measure(
    'temperature_outdoor',
    1,
    noisy(0.06, (scene) => scene.sky.temperature),
  )
  measure('humidity', 0, (scene) => scene.sky.humidity)
  measure(
    'pressure',
    1,
    noisy(0.04, (scene) => scene.sky.pressure),
  )
  measure(
    'wind_speed',
    1,
    noisy(0.2, (scene) => scene.sky.wind + 0.5),
  )
  measure('rain', 2, (scene, seconds) => (scene.sky.rain * seconds) / 3600)
  measure('cloud_cover', 0, (scene) => 100 * scene.sky.cloud)
  measure('irradiance', 0, (scene) => scene.sky.light.global)
}

function meters(device: AddDevice, measure: Measure, world: World): void {
  device('house', 'meter', 'utility-room', { measures: 'load' })
  measure(
    'power',
    1,
    meanPower((scene) => scene.counters.house.joules),
  )
  measure(counterMetric, 3, (scene) => scene.counters.house.kwh, 'counter')
  // what no plug meters: the house without its appliances
  device('rest', 'meter', 'utility-room', { measures: 'rest' })
  measure(
    'power',
    1,
    meanPower((scene) => scene.counters.rest.joules),
  )
  measure(counterMetric, 3, (scene) => scene.counters.rest.kwh, 'counter')
  device('pv', 'pv', 'roof', { peakKw: world.pvPeakKw })
  measure(
    'pv_power',
    1,
    meanPower((scene) => scene.counters.pv.joules),
  )
  measure(counterMetric, 3, (scene) => scene.counters.pv.kwh, 'counter')
  device('battery', 'battery', 'utility-room', { capacityKwh: world.batteryKwh, switchable: true })
  measure(
    'battery_power',
    1,
    meanPower((scene) => scene.counters.battery.joules),
  )
  measure('soc', 1, (scene) => scene.soc)
  device('grid-meter', 'meter', 'utility-room', { measures: 'grid' })
  measure(
    'grid_power',
    1,
    meanPower((scene) => scene.counters.grid.joules),
  )
  measure(counterMetric, 3, (scene) => scene.counters.import.kwh, 'counter')
  device('feed-in-meter', 'meter', 'utility-room', { measures: 'export' })
  measure(counterMetric, 3, (scene) => scene.counters.export.kwh, 'counter')
}

/** Mean W since the last reading, as meters send it: so powers and counters agree, and the flows balance. */
function meanPower(joules: (scene: Scene) => number): Channel['read'] {
  let last = 0
  return (scene, seconds) => {
    const now = joules(scene)
    const watts = (now - last) / seconds
    last = now
    return watts
  }
}

/** dB(A): sources add as sound energies. */
function soundLevel(scene: Scene, room: RoomName): number {
  const { minute } = scene.now
  const street = minute > 390 && minute < 1320 ? 1 : 0
  const levels = [30 + 3.5 * street + 0.8 * scene.sky.wind]
  if (scene.rooms[room].windowOpen) levels.push(38 + 6 * street)
  if (scene.sky.rain > 0.5) levels.push(36)
  for (const person of scene.life.people) {
    if (person.room !== room) continue
    levels.push(person.activity === 'sleep' ? 29 : person.activity === 'relax' ? 43 : 49)
  }
  const talking = scene.life.people.filter((p) => p.room === room && p.activity !== 'sleep').length
  if (talking > 1) levels.push(56)
  if (room === 'living-room' && talking > 0 && minute > 1020) levels.push(53)
  const energy = levels.reduce((sum, level) => sum + 10 ** (level / 10), 0)
  return clamp(10 * Math.log10(energy), 25, 110)
}
