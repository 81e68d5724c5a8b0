import { type Appliances, createAppliances } from './appliances.ts'
import { between, type CreateRandom, seedOf } from './chance.ts'
import { civilTick, type Tick } from './civil.ts'
import { Counter, createBattery, createPv } from './energy.ts'
import { createHeating } from './heating.ts'
import { createOccupants, type Life, type Sojourn } from './occupants.ts'
import { type Person, type RoomName, roomNames } from './plan.ts'
import { createRooms, type Gains, type Rooms, settleRooms, tickHabits, tickRooms } from './rooms.ts'
import { createSmokeAir, type SmokeAir } from './smoke-air.ts'
import { createWeather, type Place, type Sky } from './weather.ts'

export interface WorldOptions extends Place {
  readonly seed: number
  /** Homes of one town share it. */
  readonly weatherSeed: number
  readonly zone: string
  readonly createRandom: CreateRandom
}

/** Everything true about the home at the end of the newest tick. */
export interface Scene {
  readonly now: Tick
  readonly sky: Sky
  readonly life: Life
  readonly rooms: Rooms
  readonly air: SmokeAir
  readonly setpoint: number
  readonly soc: number
  /**
   * Energy that flowed since the beginning: house = appliances + rest = pv + battery + import - export, in what was
   * counted and in what the counters show. Battery and grid are signed: discharge and import are +.
   */
  readonly counters: Counters
}

export type MeteredAppliance = keyof Appliances | 'heatPump'

export type Counters = Readonly<
  Record<MeteredAppliance | 'rest' | 'house' | 'pv' | 'battery' | 'grid' | 'import' | 'export', Counter>
>

export interface World {
  readonly people: readonly Person[]
  readonly pvPeakKw: number
  readonly batteryKwh: number
  /** Sets the rooms to what the weather of the moment makes of them; once, before the first tick. */
  begin(at: number): void
  /** Advances by the seconds up to `at`; at most some minutes, for the air is computed step by step. */
  tick(at: number, seconds: number): Scene
  /** Who was where up to `at`. */
  sojourns(at: number): Sojourn[]
}

const meteredNames = [
  'fridge',
  'washingMachine',
  'tumbleDryer',
  'dishwasher',
  'oven',
  'kettle',
  'tv',
  'computer',
  'evCharger',
  'heatPump',
] as const satisfies readonly MeteredAppliance[]

/** A home and its surroundings without a sensor in it. The order of a tick: sky, people, machines, air, energy. */
export function createWorld(options: WorldOptions): World {
  const { createRandom, seed } = options
  const dice = (name: string) => createRandom(seedOf(seed, name))
  const build = dice('building')
  const scale = between(build, 0.85, 1.2)
  const northern = options.latitude >= 0
  const people: Person[] = [
    { name: 'alex', role: 'commuter' },
    { name: 'sam', role: 'home-worker' },
  ]
  if (build.next() < 0.75) people.push({ name: 'kim', role: 'child' })

  const weather = createWeather(createRandom, options.weatherSeed, options)
  const occupants = createOccupants(createRandom, seed, people)
  const rooms = createRooms(scale, northern)
  const appliances = createAppliances(createRandom, seed)
  const heating = createHeating(dice('heating'), scale)
  const pv = createPv(dice('pv'), northern)
  const battery = createBattery(dice('battery'))
  const smokeAir = createSmokeAir(dice('smoke-air'))
  const habits = dice('habits')
  const other = createOther(dice('other'))
  const counters = createCounters(dice('counters'))

  const tick = (at: number, seconds: number): Scene => {
    const now = civilTick(options.zone, at, seconds)
    const sky = weather(at)
    const life = occupants.tick(now)
    tickHabits(rooms, now, sky, life, habits)
    const machines = appliances(now, life, (room) => rooms[room].air)
    const heat = heating(now, sky, life, rooms)
    const load = { ...machines, heatPump: heat.power }
    tickRooms(rooms, now, sky, life, gainsOf(machines, heat.heat))
    const air = smokeAir(now, sky, life, rooms.kitchen)

    let house = other(now, life, rooms)
    counters.rest.add(house, seconds)
    for (const name of meteredNames) {
      house += load[name]
      counters[name].add(load[name], seconds)
    }
    const sun = pv.tick(sky)
    const stored = battery.tick(house - sun, seconds)
    const grid = house - sun - stored
    counters.house.add(house, seconds)
    counters.pv.add(sun, seconds)
    counters.battery.add(stored, seconds)
    counters.grid.add(grid, seconds)
    if (grid > 0) counters.import.add(grid, seconds)
    else counters.export.add(-grid, seconds)
    return { now, sky, life, rooms, air, setpoint: heat.setpoint, soc: battery.soc(), counters }
  }
  return {
    people,
    pvPeakKw: pv.peakKw,
    batteryKwh: battery.capacityKwh,
    begin: (at) => settleRooms(rooms, weather(at)),
    tick,
    sojourns: (at) => occupants.truth(at),
  }
}

/** Heat of heating and machines by room; what goes down the drain or up the hood is left out. */
function gainsOf(machines: Appliances, heat: Readonly<Record<RoomName, number>>): Gains {
  return {
    ...heat,
    kitchen:
      heat.kitchen +
      0.55 * machines.oven +
      0.5 * machines.kettle +
      machines.fridge +
      0.25 * machines.dishwasher,
    'living-room': heat['living-room'] + machines.tv,
    office: heat.office + machines.computer,
    bathroom: heat.bathroom + 0.15 * machines.washingMachine + 0.3 * machines.tumbleDryer,
  }
}

/** What no plug meters: router, standby, ventilation, lamps, chargers, vacuum cleaner, hair dryer. */
function createOther(random: ReturnType<CreateRandom>) {
  const always = between(random, 48, 95)
  let wobble = 0
  return (now: Tick, life: Life, rooms: Rooms): number => {
    wobble += (-wobble * now.seconds) / 1800 + 1.2 * random.normal() * Math.sqrt(now.seconds / 60)
    let watts = always + wobble
    for (const name of roomNames) if (rooms[name].lampOn) watts += name === 'living-room' ? 24 : 11
    for (const person of life.people) {
      if (person.room === null || person.activity === 'sleep') continue
      watts += 9
      if (person.activity === 'chores' && random.next() < 0.12) watts += 620
      if (person.activity === 'wash' && random.next() < 0.08) watts += 1100
    }
    return Math.max(20, watts)
  }
}

function createCounters(random: ReturnType<CreateRandom>): Counters {
  const counter = (low: number, high: number): Counter =>
    new Counter(Math.round(between(random, low, high) * 100) / 100)
  const appliances = {
    fridge: counter(100, 600),
    washingMachine: counter(60, 400),
    tumbleDryer: counter(60, 300),
    dishwasher: counter(80, 500),
    oven: counter(80, 500),
    kettle: counter(20, 150),
    tv: counter(40, 300),
    computer: counter(60, 400),
    evCharger: counter(500, 4000),
    heatPump: counter(1500, 9000),
  }
  const rest = counter(1000, 6000)
  const house = new Counter(
    Object.values(appliances).reduce((sum, { startKwh }) => sum + startKwh, rest.startKwh),
  )
  const exported = counter(2000, 9000)
  // what of its sun the house used itself
  const pv = new Counter(exported.startKwh + between(random, 0.2, 0.4) * house.startKwh)
  return {
    ...appliances,
    rest,
    house,
    pv,
    battery: new Counter(0),
    grid: new Counter(house.startKwh - pv.startKwh),
    import: new Counter(house.startKwh - pv.startKwh + exported.startKwh),
    export: exported,
  }
}
