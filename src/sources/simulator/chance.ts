/** A seeded source of randomness, handed in so that the simulator depends on no other part of the program. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform whole number in [0, bound). */
  below(bound: number): number
  /** Standard normal. */
  normal(): number
}

export type CreateRandom = (seed: number) => Random

/**
 * Seed of a named stream: FNV-1a (Fowler, Noll, Vo) over the texts of the parts. Streams of their own keep one part
 * of the home from changing another's dice, and let a day be drawn without the days before it.
 */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const part of parts) {
    const text = `${part}/`
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}

/**
 * Smooth noise over time with mean 0 and variance 1: normal values at every `periodMs`, blended between so that the
 * variance stays 1. A function of (seed, time) alone; the two ends of the cell in use are kept.
 */
export function createNoise(
  createRandom: CreateRandom,
  seed: number,
  periodMs: number,
): (at: number) => number {
  const knot = (index: number): number => createRandom(seedOf(seed, index)).normal()
  let cell = Number.NaN
  let left = 0
  let right = 0
  return (at) => {
    const position = at / periodMs
    const index = Math.floor(position)
    if (index !== cell) {
      left = index === cell + 1 ? right : knot(index)
      right = knot(index + 1)
      cell = index
    }
    const t = position - index
    const blend = t * t * (3 - 2 * t)
    return (left * (1 - blend) + right * blend) / Math.hypot(1 - blend, blend)
  }
}

/** Uniform in [low, high). */
export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random.next()

/** Whether something that happens `perHour` times an hour on average happens within `seconds`. */
export const happens = (random: Random, perHour: number, seconds: number): boolean =>
  random.next() < 1 - Math.exp((-perHour * seconds) / 3600)

export const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(value, high))
