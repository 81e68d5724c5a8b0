import { type CreateRandom, seedOf } from './chance.ts'

export type FaultKind = 'gap' | 'stuck' | 'spike' | 'reset'

/**
 * A fault as it is in the data. `from` and `to` are the times of the first and last reading that it touched:
 * missing (gap), frozen at the reading before (stuck), far off (spike, one reading), counted from zero (reset).
 */
export interface Fault {
  readonly kind: FaultKind
  readonly device: string
  readonly metric: string
  readonly from: number
  readonly to: number
}

/** Mean number in 30 days: gaps for each device, the others for each series that can have them. */
export type FaultRates = Readonly<Record<FaultKind, number>>

export const usualFaults: FaultRates = { gap: 0.25, stuck: 0.06, spike: 0.25, reset: 0.05 }
export const noFaults: FaultRates = { gap: 0, stuck: 0, spike: 0, reset: 0 }

/** What a sensor of this kind shows when it glitches: the power-on or overflow value of common parts. */
const glitchValues: Readonly<Record<string, number>> = {
  temperature: 85,
  humidity: 0,
  co2: 5000,
  noise: 130,
  illuminance: 65_535,
  power: 6553.5,
}

export type SeriesKind = 'sampled' | 'counter' | 'event'

interface Window {
  readonly from: number
  readonly to: number
}

interface State {
  day: number
  gap: Window | undefined
  stuck: Window | undefined
  spikeAt: number
  resetAt: number
  base: number
  last: number | undefined
  open: Partial<Record<'gap' | 'stuck', { from: number; to: number }>>
}

const dayMs = 86_400_000
/** Newest faults kept. */
const faultLimit = 20_000

/** The faults of one series; `sees` turns the true value into what is sent, undefined for nothing. */
export interface SeriesFaults {
  sees(at: number, value: number): number | undefined
}

export function createFaults(createRandom: CreateRandom, seed: number, rates: FaultRates) {
  const finished: Fault[] = []
  const running = new Map<State, { device: string; metric: string }>()

  const note = (fault: Fault): void => {
    if (finished.length >= faultLimit) finished.splice(0, faultLimit / 10)
    finished.push(fault)
  }

  /** At most one of a kind a day and window: `rate` in 30 days. */
  const draw = (
    rate: number,
    day: number,
    ...name: string[]
  ): { at: number; random: () => number } | undefined => {
    if (rate <= 0) return undefined
    const random = createRandom(seedOf(seed, 'fault', ...name, day))
    return random.next() < rate / 30 ? { at: (day + random.next()) * dayMs, random: random.next } : undefined
  }

  const drawWindow = (
    before: Window | undefined,
    day: number,
    drawn: { at: number; random: () => number } | undefined,
    hours: readonly [number, number],
  ): Window | undefined => {
    if (before && before.to > day * dayMs) return before
    if (!drawn) return undefined
    // short ones are more frequent than long ones
    const length = hours[0] * (hours[1] / hours[0]) ** drawn.random()
    return { from: drawn.at, to: drawn.at + length * 3_600_000 }
  }

  const close = (state: State, kind: 'gap' | 'stuck', device: string, metric: string): void => {
    const open = state.open[kind]
    if (!open) return
    note({ kind, device, metric, ...open })
    delete state.open[kind]
  }

  const touch = (state: State, kind: 'gap' | 'stuck', at: number): void => {
    const open = state.open[kind]
    if (open) open.to = at
    else state.open[kind] = { from: at, to: at }
  }

  const series = (device: string, metric: string, kind: SeriesKind): SeriesFaults => {
    const glitch = glitchValues[metric]
    const state: State = {
      day: Number.NaN,
      gap: undefined,
      stuck: undefined,
      spikeAt: Number.NaN,
      resetAt: Number.NaN,
      base: 0,
      last: undefined,
      open: {},
    }
    running.set(state, { device, metric })

    const schedule = (day: number): void => {
      state.day = day
      state.gap = drawWindow(state.gap, day, draw(rates.gap, day, 'gap', device), [0.4, 7])
      if (kind === 'sampled' && glitch !== undefined) {
        state.spikeAt = draw(rates.spike, day, 'spike', device, metric)?.at ?? Number.NaN
        if (metric !== 'power') {
          const drawn = draw(rates.stuck, day, 'stuck', device, metric)
          state.stuck = drawWindow(state.stuck, day, drawn, [2, 20])
        }
      }
      if (kind === 'counter')
        state.resetAt = draw(rates.reset, day, 'reset', device, metric)?.at ?? Number.NaN
    }

    const inside = (window: Window | undefined, at: number): boolean =>
      window !== undefined && at >= window.from && at < window.to

    const sees = (at: number, truth: number): number | undefined => {
      const day = Math.floor(at / dayMs)
      if (day !== state.day) schedule(day)
      let resets = false
      if (at >= state.resetAt) {
        state.base = truth
        state.resetAt = Number.NaN
        resets = true
      }
      const value = truth - state.base
      if (inside(state.gap, at)) {
        touch(state, 'gap', at)
        // the reset happened while nobody looked: it shows with the first reading after the gap
        if (resets) state.resetAt = at
        return undefined
      }
      close(state, 'gap', device, metric)
      if (resets) note({ kind: 'reset', device, metric, from: at, to: at })
      if (state.last !== undefined && inside(state.stuck, at)) {
        touch(state, 'stuck', at)
        return state.last
      }
      close(state, 'stuck', device, metric)
      if (at >= state.spikeAt) {
        state.spikeAt = Number.NaN
        note({ kind: 'spike', device, metric, from: at, to: at })
        return glitch
      }
      state.last = value
      return value
    }
    return { sees }
  }

  /** Every fault that touched a reading so far, by time. */
  const list = (): Fault[] => {
    const open = [...running].flatMap(([state, name]) =>
      (['gap', 'stuck'] as const).flatMap((kind) => {
        const span = state.open[kind]
        return span ? [{ kind, ...name, ...span }] : []
      }),
    )
    return [...finished, ...open].sort(
      (a, b) => a.from - b.from || compare(a.device, b.device) || compare(a.metric, b.metric),
    )
  }
  return { series, list }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
