import { clamp, happens, type Random } from './chance.ts'
import type { Tick } from './civil.ts'
import type { Life } from './occupants.ts'
import { type RoomName, roomNames } from './plan.ts'
import type { Rooms } from './rooms.ts'
import type { Sky } from './weather.ts'

export interface Heating {
  /** Electrical, W. */
  readonly power: number
  /** Of the living room, degC. */
  readonly setpoint: number
  /** Heat given to each room, W. */
  readonly heat: Readonly<Record<RoomName, number>>
}

const setpoints: Readonly<Record<RoomName, number>> = {
  'living-room': 21.2,
  kitchen: 20.6,
  bedroom: 18.6,
  'kids-room': 20.8,
  bathroom: 22.2,
  office: 20.8,
  hall: 18.8,
}

const nightSetback = 1.8
/** Heat per m2 that floor or radiators can give, W. */
const emitterLimit = 62

/**
 * An inverter heat pump that keeps a buffer and a hot-water tank warm. Coefficient of performance: 45 % of Carnot's
 * between outdoor air and supply (field figures of Fraunhofer ISE lie at 40 to 50 %). Below its least output it cycles.
 */
export function createHeating(
  random: Random,
  scale: number,
): (now: Tick, sky: Sky, life: Life, rooms: Rooms) => Heating {
  const heat: Record<RoomName, number> = {
    'living-room': 0,
    kitchen: 0,
    bedroom: 0,
    'kids-room': 0,
    bathroom: 0,
    office: 0,
    hall: 0,
  }
  const largest = 8200 * scale
  const least = 2700 * scale
  // buffer and tank in kelvin above their lowest useful temperature
  let buffer = 4
  let tank = 9
  let running = false
  let heatsWater = false
  let output = 0
  const bufferCapacity = 300 * 4186
  const tankCapacity = 220 * 4186

  return (now, sky, life, rooms) => {
    const night = now.minute < 320 || now.minute > 1345
    let demand = 0
    const lag = 1 - Math.exp(-now.seconds / 1500)
    for (const name of roomNames) {
      const room = rooms[name]
      const target = setpoints[name] - (night ? nightSetback : 0)
      const wanted = clamp((target + 0.4 - room.air) * 45, 0, emitterLimit) * room.shape.area
      const possible = buffer > 0.5 ? wanted : 0
      heat[name] += (possible - heat[name]) * lag
      demand += heat[name]
    }
    buffer = clamp(buffer - (demand * now.seconds) / bufferCapacity, 0, 12)
    const showers = life.people.filter((person) => person.activity === 'wash').length
    const taps = life.people.filter((person) => person.activity === 'cook').length
    const draw = showers * 5600 + taps * 1600 + 70
    tank = Math.max(0, tank - (draw * now.seconds) / tankCapacity)

    if (tank < 4 || (tank < 8 && now.minute > 760 && now.minute < 800)) heatsWater = true
    if (tank > 12) heatsWater = false
    if (buffer < 1.5 && demand > 60) running = true
    if (buffer > 8) running = false

    let power = 9
    if (heatsWater || running) {
      const goal = heatsWater ? largest * 0.7 : clamp(demand * 1.12, least, largest)
      output += (goal - output) * (1 - Math.exp(-now.seconds / 150))
      const supply = heatsWater ? 325 : 304 + 0.35 * Math.max(0, 15 - sky.temperature)
      const lift = Math.max(14, supply - (sky.temperature + 273.15))
      const cop = clamp((0.45 * supply) / lift, 1.6, 5.6)
      // near freezing the outdoor unit ices up and defrosts now and then
      const defrost = sky.temperature < 4 && sky.humidity > 75 && happens(random, 1.1, now.seconds) ? 0.35 : 1
      power += (output / cop) * defrost * (1 + 0.015 * random.normal())
      if (heatsWater) tank += (output * now.seconds) / tankCapacity
      else buffer = Math.min(12, buffer + (output * now.seconds) / bufferCapacity)
    } else {
      output = 0
    }
    return { power, setpoint: setpoints['living-room'] - (night ? nightSetback : 0), heat }
  }
}
