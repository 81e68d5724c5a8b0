import type { Device, Site } from '../../core/event.ts'
import { hourMs } from '../../core/time.ts'
import { canonicalUnit } from '../../core/units.ts'
import { type CreateRandom, seedOf } from './chance.ts'
import { createEventSensors, type StateChange } from './event-sensors.ts'
import { createFaults, type Fault, type FaultRates, type SeriesFaults, usualFaults } from './faults.ts'
import type { Sojourn } from './occupants.ts'
import type { SimulatedReading } from './reading.ts'
import { createSampler } from './sampler.ts'
import { createFittings, seriesName } from './sensors.ts'
import { createWorld, type Scene } from './world.ts'

export interface HomeOptions {
  readonly seed: number
  readonly createRandom: CreateRandom
  /** Where readings say they are from. */
  readonly site?: string
  readonly name?: string
  readonly zone?: string
  /** Degrees, north and east are +. */
  readonly latitude?: number
  readonly longitude?: number
  /** Homes with the same one share the weather; by default each has its own. */
  readonly weatherSeed?: number
  /** Mean number in 30 days; a kind that is absent keeps its usual rate. */
  readonly faults?: Partial<FaultRates>
  /**
   * The world is computed in ticks of at most so long, ms; 1 min when absent. Measured on 36 homes over 30 days each:
   * with 2 min every room is as warm within 0.1 K, and a device uses the same within 1 %, but an oven 5 % and a tumble
   * dryer 10 % more (two standard errors of their few runs); detectors in kitchen and bathroom report a fifth more
   * movements. With 5 min (12 homes) an oven uses 8 % more, and a quarter of all movements go unseen.
   */
  readonly tickMs?: number
  /** Ticks of the life before the first step, of which nothing is told, ms; `tickMs` when absent. */
  readonly warmUpTickMs?: number
  /** Time between two readings of what is neither a power nor an energy, ms; every step has one when absent. */
  readonly slowStepMs?: number | undefined
  /** What its series stand at as it is first seen (see `seriesName`): its counters go on from there. */
  readonly stands?: ReadonlyMap<string, number>
}

export interface Home {
  readonly site: Site
  readonly devices: readonly Device[]
  readonly latitude: number
  readonly longitude: number
  readonly people: readonly string[]
  /**
   * Lives on to `at` (UTC ms, later than before) and gives the readings since the last step, by time: changes of state
   * when they happened, everything else once, at `at`. The first step only says how things stand.
   */
  step(at: number): SimulatedReading[]
  /** Ground truth: what its counters stand at since the last step, by `seriesName`. */
  counters(): Map<string, number>
  /** Ground truth: the faults in the readings given out so far. */
  faults(): Fault[]
  /** Ground truth: who was where, from the day before the first step up to the last one. */
  occupancy(): Sojourn[]
}

/** The home has a past when it is first seen: rooms are warm, people are where the hour puts them. */
const warmUpMs = 36 * hourMs

/** A home whose readings are a function of its options and of the times that it is asked for. */
export function createHome(options: HomeOptions): Home {
  const { createRandom, seed, site = 'demo', zone = 'Europe/Berlin' } = options
  const { tickMs = 60_000, warmUpTickMs = tickMs } = options
  const { latitude = 52.5, longitude = 13.4, weatherSeed = seedOf(seed, 'town') } = options
  const world = createWorld({ seed, createRandom, zone, latitude, longitude, weatherSeed })
  const fittings = createFittings(site, world, createRandom(seedOf(seed, 'sensors')))
  const events = createEventSensors(site, createRandom, seed)
  const faults = createFaults(createRandom, seed, { ...usualFaults, ...options.faults })
  const sampler = createSampler(fittings.channels, faults, { ...options, site })
  const eventFaults = new Map<string, SeriesFaults>()
  let lastAt = Number.NaN

  const eventReading = (change: StateChange): SimulatedReading | undefined => {
    const { device, metric, room, at } = change
    const key = seriesName(change)
    const series = eventFaults.get(key) ?? faults.series(device, metric, 'event')
    eventFaults.set(key, series)
    const value = series.sees(at, change.value)
    const unit = canonicalUnit(metric) ?? 'raw'
    return value === undefined
      ? undefined
      : { source: 'simulator', site, device, metric, value, unit, at, room }
  }

  /** Life before the first step, of which nothing is told. */
  const warmUp = (from: number, to: number): void => {
    world.begin(from)
    lastAt = from
    while (lastAt + warmUpTickMs < to) {
      lastAt += warmUpTickMs
      world.tick(lastAt, warmUpTickMs / 1000)
    }
    sampler.begin(world.tick(to, (to - lastAt) / 1000))
    lastAt = to
  }

  const step = (at: number): SimulatedReading[] => {
    if (!Number.isFinite(at) || at <= lastAt) throw new RangeError('A home cannot go back in time.')
    const first = Number.isNaN(lastAt)
    if (first) warmUp(at - warmUpMs, at - tickMs)
    const readings: SimulatedReading[] = []
    let scene: Scene
    do {
      const next = Math.min(at, lastAt + tickMs)
      scene = world.tick(next, (next - lastAt) / 1000)
      lastAt = next
      for (const change of first ? standing(events.tick(scene), at) : events.tick(scene)) {
        const reading = eventReading(change)
        if (reading) readings.push(reading)
      }
    } while (lastAt < at)
    sampler.sample(scene, readings)
    return readings
  }

  return {
    site: { id: site, name: options.name ?? 'Demo home', zone, demo: true },
    devices: [...fittings.devices, ...events.devices],
    latitude,
    longitude,
    people: world.people.map((person) => person.name),
    step,
    counters: sampler.counters,
    faults: () => faults.list(),
    occupancy: () => world.sojourns(lastAt),
  }
}

/** The newest state of each series, as if said at `at`. */
function standing(changes: readonly StateChange[], at: number): StateChange[] {
  const newest = new Map(changes.map((change) => [`${change.device}/${change.metric}`, { ...change, at }]))
  return [...newest.values()]
}
