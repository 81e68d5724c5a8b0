import type { Device } from '../../core/event.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import { between, type CreateRandom, seedOf } from './chance.ts'
import { type RoomName, roomNames } from './plan.ts'
import type { Scene } from './world.ts'

/** A state that changed, or a sign of life, at a moment inside the tick or at its end. */
export interface StateChange {
  readonly device: string
  readonly metric: string
  readonly room: string
  readonly value: number
  readonly at: number
}

/** A motion detector falls back this long after the last movement. */
const motionHoldMs = 90_000
const heartbeatMs = hourMs
const batteryReportMs = 6 * hourMs

/** Sensors that speak when something happens, and once an hour to say that they live. */
export interface EventSensors {
  readonly devices: readonly Device[]
  /** Changes of a tick, by time. */
  tick(scene: Scene): StateChange[]
}

export function createEventSensors(site: string, createRandom: CreateRandom, seed: number): EventSensors {
  const sensors = [
    ...roomNames.map((room) => motionDetector(room, createRandom, seed)),
    contact('front-door', 'door', 'hall', createRandom, seed, undefined),
    contact('bedroom-window', 'window_open', 'bedroom', createRandom, seed, (scene) =>
      scene.rooms.bedroom.windowOpen ? 1 : 0,
    ),
    contact('kitchen-smoke', 'smoke', 'kitchen', createRandom, seed, (scene) => scene.air.smoke),
  ]
  const devices = sensors
    // the smoke detector is listed where it is sampled
    .filter((sensor) => sensor.type !== 'smoke-detector')
    .map(({ id, type, room }): Device => ({ site, id, type, room, attributes: { battery: true } }))
  return {
    devices,
    tick: (scene) => sensors.flatMap((sensor) => sensor.tick(scene)).sort((a, b) => a.at - b.at),
  }
}

interface EventSensor {
  readonly id: string
  readonly type: string
  readonly room: string
  tick(scene: Scene): StateChange[]
}

function motionDetector(room: RoomName, createRandom: CreateRandom, seed: number): EventSensor {
  const id = `${room}-pir`
  const random = createRandom(seedOf(seed, 'sensor', id))
  const signs = signsOfLife(id, 'motion', room, random.next())
  let lastMove = Number.NEGATIVE_INFINITY
  let on = 0
  const tick = (scene: Scene): StateChange[] => {
    const { at, seconds } = scene.now
    const changes: StateChange[] = []
    const set = (value: number, when: number): void => {
      on = value
      changes.push({ device: id, metric: 'motion', room, value, at: when })
    }
    const start = at - seconds * 1000
    const moves = scene.life.moved(room)
    // after the start, where the tick before may have spoken
    const moment = start + Math.max(1, Math.floor(random.next() * seconds * 1000))
    const fallsAt = Math.max(lastMove + motionHoldMs, start + 1)
    if (on === 1 && fallsAt < at && !(moves && moment <= fallsAt)) set(0, fallsAt)
    if (moves && (on === 1 || changes.length === 0 || moment > fallsAt)) {
      if (on === 0) set(1, moment)
      lastMove = moment
    }
    return [...changes, ...signs(at, on, changes.length > 0)]
  }
  return { id, type: 'motion-sensor', room, tick }
}

/** A door that is passed within the tick, or (with `state`) something that stays open. */
function contact(
  id: string,
  metric: string,
  room: string,
  createRandom: CreateRandom,
  seed: number,
  state: ((scene: Scene) => number) | undefined,
): EventSensor {
  const random = createRandom(seedOf(seed, 'sensor', id))
  const signs = signsOfLife(id, metric, room, random.next())
  let value = 0
  const tick = (scene: Scene): StateChange[] => {
    const { at, seconds } = scene.now
    const changes: StateChange[] = []
    const set = (next: number, part: number): void => {
      value = next
      const when = Math.round(at - seconds * 1000 * (1 - part))
      changes.push({ device: id, metric, room, value, at: when })
    }
    if (state) {
      const next = state(scene)
      if (next !== value) set(next, between(random, 0.05, 0.95))
    } else if (scene.life.doorPassed) {
      set(1, between(random, 0.05, 0.45))
      set(0, between(random, 0.5, 0.95))
    }
    return [...changes, ...signs(at, value, changes.length > 0)]
  }
  const type = metric === 'smoke' ? 'smoke-detector' : 'contact'
  return { id, type, room, tick }
}

/** The state once an hour, each sensor at its own minute, and the charge of its cell four times a day. */
function signsOfLife(device: string, metric: string, room: string, phase: number) {
  let beat = Number.NaN
  let report = Number.NaN
  let firstAt = Number.NaN
  return (at: number, value: number, changed: boolean): StateChange[] => {
    if (Number.isNaN(firstAt)) firstAt = at
    const signs: StateChange[] = []
    const nowBeat = Math.floor(at / heartbeatMs - phase)
    if (nowBeat !== beat && !changed) signs.push({ device, metric, room, value, at })
    beat = nowBeat
    const nowReport = Math.floor(at / batteryReportMs - phase)
    if (nowReport !== report) {
      // a coin cell: most of its life at nine tenths, about two years
      const days = (at - firstAt) / dayMs + 400 * phase
      const charge = Math.max(1, Math.round(100 - 80 * (days / 730) ** 1.5))
      signs.push({ device, metric: 'battery', room, value: charge, at })
    }
    report = nowReport
    return signs
  }
}
