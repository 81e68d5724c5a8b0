import type { Home } from './home.ts'
import type { SimulatedReading } from './reading.ts'
import { counterMetric, seriesName } from './sensors.ts'

/** A stretch of the past, [from, to), UTC ms. */
export interface OlderPast {
  readonly from: number
  readonly to: number
  /** What the counters stand at `to`, by `seriesName`. One that is not named stays as its home has it. */
  readonly stands: ReadonlyMap<string, number>
}

/**
 * What a home of its own tells of the time before another one was first seen, step by step. Counters must join at the
 * seam without a jump, and by how much this home's are off is known only once it has lived up to there. So they are
 * held back and come last, moved as a whole to end where the younger ones begin, and the newest first: the oldest one
 * is then the last of all, and where it is there, nothing is missing. For the same `from` it tells the same again.
 * None of the counters may be reset on the way (see `FaultRates`), or what moved would not begin at zero.
 */
export function* olderPast(
  home: Home,
  { from, to, stands }: OlderPast,
  stepMs: number,
): Generator<readonly SimulatedReading[], void> {
  const held: SimulatedReading[][] = []
  for (let at = from; at < to; at += stepMs) {
    const others: SimulatedReading[] = []
    const counted: SimulatedReading[] = []
    for (const reading of home.step(at)) (reading.metric === counterMetric ? counted : others).push(reading)
    held.push(counted)
    yield others
  }
  home.step(to)
  const missing = new Map<string, number>()
  for (const [name, end] of home.counters()) {
    missing.set(name, wattHours(stands.get(name) ?? end) - wattHours(end))
  }
  for (const readings of held.reverse()) {
    yield readings.map((reading) => {
      const shown = wattHours(reading.value) + (missing.get(seriesName(reading)) ?? 0)
      return { ...reading, value: shown / 1000 }
    })
  }
}

/** Counters show whole ones: moved by part of one, a counter that rests could seem to fall at the seam. */
const wattHours = (kwh: number): number => Math.round(kwh * 1000)
