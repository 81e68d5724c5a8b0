import { clamp, happens, type Random } from './chance.ts'
import type { Tick } from './civil.ts'
import type { Life } from './occupants.ts'
import { type Activity, type RoomName, roomNames } from './plan.ts'
import { onPlane } from './sun.ts'
import { type Sky, saturation } from './weather.ts'

/** Outdoor CO2, ppm: the global mean of 2025 (NOAA GML), and no room is below it. */
export const outdoorCo2 = 426

export interface RoomShape {
  readonly area: number
  /** Glass, m2, and which way it looks, radians from north over east. */
  readonly glass: number
  readonly facing: number
}

export interface RoomState {
  readonly shape: RoomShape
  /** degC: of the air, and of walls and furniture. */
  air: number
  mass: number
  /** ppm */
  co2: number
  /** Water in the air, g/m3. */
  vapour: number
  windowOpen: boolean
  lampOn: boolean
  blindsDown: boolean
  /** Daylight on its windows from outside, W/m2. */
  daylight: number
}

export type Rooms = Readonly<Record<RoomName, RoomState>>

/** Heat that is set free in each room, W, beside that of people, lamps and sun. */
export type Gains = Readonly<Partial<Record<RoomName, number>>>

const ceiling = 2.5
const south = Math.PI

const shapes: Readonly<Record<RoomName, RoomShape>> = {
  'living-room': { area: 34, glass: 7.5, facing: south + 0.3 },
  kitchen: { area: 14, glass: 2.2, facing: Math.PI / 2 },
  bedroom: { area: 17, glass: 2.4, facing: Math.PI / 2 },
  'kids-room': { area: 14, glass: 2.2, facing: south },
  bathroom: { area: 8, glass: 0.8, facing: 0 },
  office: { area: 12, glass: 2, facing: (3 * Math.PI) / 2 },
  hall: { area: 13, glass: 0.6, facing: 0 },
}

/** Breath by what is done, at 1 to 2 met: litres of CO2 an hour (Persily and de Jonge, 2017), g water an hour, W. */
const body = (activity: Activity): { co2: number; water: number; heat: number } =>
  activity === 'sleep' ? { co2: 11.5, water: 32, heat: 70 } : { co2: 18.5, water: 58, heat: 95 }

/** Plants, towels and the sink give off water all day, g/h. */
const standingWater: Gains = { 'living-room': 42, kitchen: 22, bathroom: 26, bedroom: 6, office: 6 }

export function createRooms(scale: number, northern: boolean): Rooms {
  const room = (name: RoomName): RoomState => {
    const { area, glass, facing } = shapes[name]
    return {
      shape: { area: area * scale, glass: glass * scale, facing: northern ? facing : Math.PI - facing },
      air: 20,
      mass: 20,
      co2: outdoorCo2 + 150,
      vapour: 8,
      windowOpen: false,
      lampOn: false,
      blindsDown: false,
      daylight: 0,
    }
  }
  return {
    'living-room': room('living-room'),
    kitchen: room('kitchen'),
    bedroom: room('bedroom'),
    'kids-room': room('kids-room'),
    bathroom: room('bathroom'),
    office: room('office'),
    hall: room('hall'),
  }
}

/** Walls need days to follow the weather: they begin where it would have brought them. */
export function settleRooms(rooms: Rooms, sky: Sky): void {
  for (const name of roomNames) {
    const room = rooms[name]
    room.air = clamp(sky.temperature + 4, 19.5, 25)
    room.mass = room.air
    room.vapour = Math.min(sky.vapour + 1.2, 0.6 * saturation(room.air))
  }
}

/** Advances the air of every room: heat, CO2 and water, exchanged with outside, walls and the hall. */
export function tickRooms(rooms: Rooms, now: Tick, sky: Sky, life: Life, gains: Gains): void {
  const hall = rooms.hall
  for (const name of roomNames) {
    const room = rooms[name]
    const volume = room.shape.area * ceiling
    let co2Litres = 0
    let water = standingWater[name] ?? 0
    let heat = (gains[name] ?? 0) + (room.lampOn ? 9 : 0) + sunGain(room)
    let closed = name === 'bathroom'
    for (const person of life.people) {
      if (person.room !== name) continue
      const breath = body(person.activity)
      co2Litres += breath.co2
      water += breath.water + (person.activity === 'wash' ? 1150 : person.activity === 'cook' ? 750 : 0)
      heat += breath.heat
      if (person.activity === 'sleep' || person.activity === 'work') closed = true
    }

    // infiltration grows with wind and cold; the bathroom has a fan that runs while it is humid
    const leak = 0.11 + 0.018 * sky.wind + 0.003 * Math.max(0, room.air - sky.temperature)
    const fan = name === 'bathroom' && room.vapour > 0.68 * saturation(room.air) ? 3 : 0
    const hood = name === 'kitchen' && water > 500 ? 2.5 : 0
    const outsideFlow = volume * (leak + fan + hood + (room.windowOpen ? 5 + 0.6 * sky.wind : 0))
    const hallFlow = name === 'hall' ? 0 : closed ? 15 : 46
    const hallVolume = hall.shape.area * ceiling
    const hours = now.seconds / 3600

    const fresh = 1 - Math.exp((-outsideFlow / volume) * hours)
    const share = 1 - Math.exp((-hallFlow / Math.min(volume, hallVolume)) * hours)
    const small = Math.min(volume, hallVolume)
    room.co2 += (co2Litres * 1000 * hours) / volume + (outdoorCo2 - room.co2) * fresh
    const co2Moved = (hall.co2 - room.co2) * share * 0.5 * small
    room.co2 += co2Moved / volume
    hall.co2 -= co2Moved / hallVolume
    // walls and textiles take up and give back about twice what the air holds
    const buffer = 3
    room.vapour += (water * hours) / (volume * buffer) + ((sky.vapour - room.vapour) * fresh) / buffer
    const waterMoved = ((hall.vapour - room.vapour) * share * 0.5 * small) / buffer
    room.vapour += waterMoved / volume
    hall.vapour -= waterMoved / hallVolume
    room.vapour = Math.min(room.vapour, 0.97 * saturation(room.air))
    tickHeat(room, hall, now, sky, heat, outsideFlow, hallFlow)
  }
}

/** Two stores a room: air with furniture, and walls (a 2R2C network as in ISO 52016 simplified). */
function tickHeat(
  room: RoomState,
  hall: RoomState,
  now: Tick,
  sky: Sky,
  heat: number,
  outsideFlow: number,
  hallFlow: number,
): void {
  const { area } = room.shape
  const airCapacity = area * ceiling * 1210 * 4.5
  const massCapacity = area * 150_000
  const toMass = area * 9
  const windowsUa = room.shape.glass * 1.1
  const wallsUa = area * 0.62
  const air =
    heat * 0.6 +
    (windowsUa + outsideFlow * 0.336) * (sky.temperature - room.air) +
    toMass * (room.mass - room.air)
  const shared = hallFlow * 0.336 * (hall.air - room.air)
  const mass = heat * 0.4 + wallsUa * (sky.temperature - room.mass) + toMass * (room.air - room.mass)
  room.air += ((air + shared) * now.seconds) / airCapacity
  room.mass += (mass * now.seconds) / massCapacity
  if (room !== hall) hall.air -= (shared * now.seconds) / (hall.shape.area * ceiling * 1210 * 4.5)
}

/** Sun through the glass; blinds come down when the room is warm. */
const sunGain = (room: RoomState): number =>
  room.shape.glass * 0.42 * (room.blindsDown ? 0.25 : 1) * room.daylight

/** Light that a sensor in the room sees, lx: daylight by its glass (about 110 lm for each W), and the lamp. */
export function illuminance(room: RoomState): number {
  const { glass, area } = room.shape
  const inside = 110 * room.daylight * (glass / area) * 0.035 * (room.blindsDown ? 0.45 : 1)
  return inside + (room.lampOn ? lampLux : 0) + (room.daylight <= 0 ? 0.4 : 0)
}

const lampLux = 165

/** People open windows when it is stuffy, or hot inside and cooler outside; lamps when they see too little. */
export function tickHabits(rooms: Rooms, now: Tick, sky: Sky, life: Life, random: Random): void {
  const home = life.people.some((person) => person.room !== null)
  for (const name of roomNames) {
    const room = rooms[name]
    room.daylight = onPlane(sky.sun, sky.light, Math.PI / 2, room.shape.facing)
    const inside = life.people.filter((person) => person.room === name)
    const awake = inside.some((person) => person.activity !== 'sleep')
    const asleep = inside.length > 0 && !awake
    const warm = room.air > 23.6 && sky.temperature < room.air - 1 && sky.temperature > 9
    const stuffy = room.co2 > 1150 && awake
    if (!room.windowOpen) {
      if (home && warm && happens(random, 2, now.seconds)) room.windowOpen = true
      else if (stuffy && happens(random, 1.6, now.seconds)) room.windowOpen = true
      else if (risen(life, name) && sky.temperature > -8 && random.next() < 0.5) room.windowOpen = true
    } else {
      const perHour =
        !home || sky.rain > 1 || room.air < 16.5
          ? 40
          : warm
            ? 0.05
            : asleep
              ? 0.5
              : sky.temperature < 8
                ? 12
                : 7
      if (happens(random, perHour, now.seconds)) room.windowOpen = false
    }
    if (room.air > 24.4 && sky.light.global > 60) room.blindsDown = true
    else if (room.air < 23 || sky.light.global <= 0) room.blindsDown = false
    const dark = room.lampOn ? illuminance(room) - lampLux < 110 : illuminance(room) < 70
    if (awake && dark) room.lampOn = room.lampOn || happens(random, 90, now.seconds)
    else if (room.lampOn) room.lampOn = !(happens(random, awake ? 6 : 25, now.seconds) || asleep)
  }
}

/** Whoever slept here has just got up. */
const risen = (life: Life, name: RoomName): boolean =>
  (name === 'bedroom' || name === 'kids-room') &&
  life.started.some(
    ({ role, activity }) => activity === 'wash' && (role === 'child') === (name === 'kids-room'),
  )

export const relativeHumidity = (room: RoomState): number =>
  clamp((100 * room.vapour) / saturation(room.air), 5, 99.5)
