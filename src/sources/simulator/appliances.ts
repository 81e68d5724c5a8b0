import { between, type CreateRandom, clamp, happens, type Random, seedOf } from './chance.ts'
import type { Tick } from './civil.ts'
import type { Life } from './occupants.ts'
import type { RoomName } from './plan.ts'
import { ProgrammeMachine } from './programmes.ts'

/** What a household draws in a tick, W. */
export interface Appliances {
  readonly fridge: number
  readonly washingMachine: number
  readonly tumbleDryer: number
  readonly dishwasher: number
  readonly oven: number
  readonly kettle: number
  readonly tv: number
  readonly computer: number
  readonly evCharger: number
}

type Machine = (now: Tick, life: Life, roomTemperature: (room: RoomName) => number) => number

/** Every appliance but the heat pump, which belongs to the heating. */
export function createAppliances(
  createRandom: CreateRandom,
  seed: number,
): (now: Tick, life: Life, roomTemperature: (room: RoomName) => number) => Appliances {
  const dice = (name: string): Random => createRandom(seedOf(seed, 'appliance', name))
  const laundry = createLaundry(dice('laundry'))
  const fridge = createFridge(dice('fridge'))
  const dishwasher = createDishwasher(dice('dishwasher'))
  const oven = createOven(dice('oven'))
  const kettle = createKettle(dice('kettle'))
  const tv = createTv(dice('tv'))
  const computer = createComputer(dice('computer'))
  const evCharger = createEvCharger(dice('ev'))
  return (now, life, roomTemperature) => {
    const { washingMachine, tumbleDryer } = laundry(now, life)
    return {
      fridge: fridge(now, life, roomTemperature),
      washingMachine,
      tumbleDryer,
      dishwasher: dishwasher(now, life, roomTemperature),
      oven: oven(now, life, roomTemperature),
      kettle: kettle(now, life, roomTemperature),
      tv: tv(now, life, roomTemperature),
      computer: computer(now, life, roomTemperature),
      evCharger: evCharger(now, life, roomTemperature),
    }
  }
}

const awakeAtHome = (life: Life): number =>
  life.people.filter((person) => person.room !== null && person.activity !== 'sleep').length

const adultDoes = (life: Life, room: RoomName, activity: string): boolean =>
  life.people.some(
    (person) => person.room === room && person.activity === activity && person.role !== 'child',
  )

/** Compressor between two temperatures of its inside; warmed by the kitchen, and by the door at meals. */
function createFridge(random: Random): Machine {
  const compressor = between(random, 68, 105)
  let inside = between(random, 3.5, 6)
  let cooling = false
  return (now, life, roomTemperature) => {
    const meals = life.people.filter(
      ({ room, activity }) => room === 'kitchen' && (activity === 'cook' || activity === 'eat'),
    ).length
    const minutes = now.seconds / 60
    inside += ((roomTemperature('kitchen') - inside) / 420) * minutes
    if (happens(random, 5 * meals + 20 * life.snacks, now.seconds)) inside += between(random, 0.15, 0.5)
    if (cooling) inside -= 0.155 * minutes
    if (inside > 6.2) cooling = true
    if (inside < 3.6) cooling = false
    return cooling ? compressor * (1 + 0.06 * (inside - 5) + 0.015 * random.normal()) : 1.4
  }
}

function createKettle(random: Random): Machine {
  const rated = between(random, 1950, 2250)
  let left = 0
  return (now, life) => {
    const breakfasts = life.started.filter(
      (person) => person.activity === 'eat' && person.role !== 'child' && now.minute < 660,
    ).length
    const wanted = breakfasts * 0.85 + life.snacks * 0.4
    if (left <= 0 && wanted > 0 && random.next() < wanted) left = between(random, 90, 260)
    const on = Math.min(left, now.seconds)
    left -= on
    return 0.3 + (rated * (1 + 0.01 * random.normal()) * on) / now.seconds
  }
}

/** A cooker: the oven heats up, then its thermostat pulses; the hob on top of it boils, then simmers. */
function createOven(random: Random): Machine {
  let ovenUntil = 0
  let hobFrom = 0
  let hobUntil = 0
  let temperature = 20
  let heating = false
  let target = 180
  return (now, life) => {
    const minuteMs = 60_000
    for (const person of life.started) {
      const supper = person.activity === 'cook'
      const lunch = person.activity === 'eat' && now.minute > 700 && now.minute < 830 && random.next() < 0.45
      if (!supper && !lunch) continue
      if (supper && random.next() < 0.55) {
        ovenUntil = now.at + between(random, 26, 50) * minuteMs
        target = 170 + 10 * random.below(5)
      }
      if (lunch || random.next() < 0.8) {
        hobFrom = now.at + (lunch ? 0 : between(random, 3, 12) * minuteMs)
        hobUntil = hobFrom + between(random, 10, 28) * minuteMs
      }
    }
    let watts = 0.9
    const on = now.at < ovenUntil
    if (!on) heating = false
    else if (temperature < target - 6) heating = true
    else if (temperature > target) heating = false
    temperature += ((heating ? 17 : 0) - (temperature - 21) / 26) * (now.seconds / 60)
    if (heating) watts += 2350
    else if (on) watts += 45
    if (now.at >= hobFrom && now.at < hobUntil) {
      const boiling = now.at - hobFrom < 7 * minuteMs
      watts += boiling ? 1750 : random.next() < 0.45 ? 900 : 260
    }
    return watts
  }
}

function createTv(random: Random): Machine {
  const rated = between(random, 75, 140)
  let brightness = 1
  let on = false
  return (now, life) => {
    const watching = life.people.some(
      (person) => person.room === 'living-room' && person.activity === 'relax',
    )
    const evening = now.minute > 1020 || now.minute < 120
    if (watching && !on) on = evening || happens(random, now.weekday >= 5 ? 0.5 : 0.1, now.seconds)
    else if (!watching && on) on = !happens(random, 6, now.seconds)
    brightness = clamp(brightness + 0.05 * random.normal(), 0.85, 1.15)
    return on ? rated * brightness : 0.6
  }
}

function createComputer(random: Random): Machine {
  const rated = between(random, 65, 120)
  let effort = 1
  let on = false
  return (now, life) => {
    const used = adultDoes(life, 'office', 'work') || adultDoes(life, 'office', 'play')
    if (used) on = true
    else if (on) on = !happens(random, 4, now.seconds)
    effort = clamp(effort + 0.12 * (1 - effort) + 0.1 * random.normal(), 0.75, 1.8)
    return on ? rated * effort : 2.2
  }
}

/** Washing piles up with people; a free hour at home empties the basket, and the dryer takes over. */
function createLaundry(random: Random) {
  const washer = new ProgrammeMachine(random, 0.7)
  const dryer = new ProgrammeMachine(random, 0.5)
  let basket = between(random, 0, 3)
  let wet = false
  return (now: Tick, life: Life): { washingMachine: number; tumbleDryer: number } => {
    basket += (life.people.length * 0.52 * now.seconds) / 86_400
    const waking = now.minute > 420 && now.minute < 1230 && awakeAtHome(life) > 0
    const keen = basket < 2.6 ? 0 : now.weekday >= 5 ? 0.7 : 0.14 + 0.25 * Math.max(0, basket - 5)
    const wasRunning = washer.running
    if (!wasRunning && !wet && waking && happens(random, keen, now.seconds)) {
      const dice = random.next()
      washer.start(dice < 0.62 ? 'wash40' : dice < 0.84 ? 'wash60' : 'washQuick')
      basket = Math.max(0, basket - between(random, 2.4, 3.4))
    }
    const washingMachine = washer.tick(now.seconds)
    if (wasRunning && !washer.running) wet = random.next() < 0.6
    if (wet && !dryer.running && awakeAtHome(life) > 0 && happens(random, 3, now.seconds)) {
      dryer.start('dry')
      wet = false
    }
    return { washingMachine, tumbleDryer: dryer.tick(now.seconds) }
  }
}

function createDishwasher(random: Random): Machine {
  const machine = new ProgrammeMachine(random, 0.6)
  let dishes = between(random, 0, 5)
  return (now, life) => {
    dishes += life.started.filter((person) => person.activity === 'eat').length
    dishes += 0.3 * life.snacks
    const afterMeal = now.minute > 1170 || (now.minute > 780 && now.minute < 900)
    if (!machine.running && dishes >= 7 && afterMeal && awakeAtHome(life) > 0) {
      if (happens(random, 2.5, now.seconds)) {
        machine.start(random.next() < 0.8 ? 'dishesEco' : 'dishesQuick')
        dishes = 0
      }
    }
    return machine.tick(now.seconds)
  }
}

/** A car that the commuter takes along: each absence empties it, plugged in at home it fills up to 80 %. */
function createEvCharger(random: Random): Machine {
  const capacityKwh = between(random, 42, 64)
  const rated = random.next() < 0.5 ? 3680 : 7360
  const plugBelow = between(random, 0.5, 0.62)
  let soc = between(random, 0.55, 0.8)
  let wasAway = false
  let plugged = false
  return (now, life) => {
    const driver = life.people.find((person) => person.role === 'commuter') ?? life.people[0]
    const away = driver?.room === null
    if (away && !wasAway) plugged = false
    if (away)
      soc = Math.max(0.15, soc - ((now.weekday < 5 ? 0.95 : 1.6) / capacityKwh) * (now.seconds / 3600))
    if (!away && wasAway) plugged = soc < plugBelow
    wasAway = away
    if (!plugged || soc >= 0.8) return 3
    // the last percent taper off
    const watts = rated * clamp((0.81 - soc) / 0.04, 0.12, 1) * (1 + 0.004 * random.normal())
    soc += (watts * 0.91 * now.seconds) / 3.6e6 / capacityKwh
    return watts
  }
}
