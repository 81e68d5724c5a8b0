import type { Random } from './chance.ts'

/** A phase of a programme: minutes, mean W, and how far the power swings around it (a drum that turns and rests). */
export type Phase = readonly [minutes: number, watts: number, swing: number]

/** Washing, drying and rinsing as smart plugs show them: heating first, then motors, then spinning or drying. */
export const programmes = {
  wash40: [
    [4, 60, 0.6],
    [16, 2050, 0.02],
    [52, 110, 0.7],
    [7, 30, 0.5],
    [26, 130, 0.7],
    [4, 220, 0.5],
    [9, 420, 0.35],
    [2, 25, 0.3],
  ],
  wash60: [
    [4, 60, 0.6],
    [31, 2080, 0.02],
    [44, 120, 0.7],
    [30, 120, 0.7],
    [11, 440, 0.35],
    [2, 25, 0.3],
  ],
  washQuick: [
    [7, 2000, 0.02],
    [17, 140, 0.6],
    [8, 400, 0.4],
  ],
  // a heat-pump dryer
  dry: [
    [6, 380, 0.1],
    [74, 640, 0.06],
    [16, 520, 0.08],
    [8, 160, 0.3],
  ],
  dishesEco: [
    [9, 45, 0.4],
    [21, 1880, 0.02],
    [62, 55, 0.5],
    [8, 20, 0.4],
    [16, 1880, 0.02],
    [50, 6, 0.3],
  ],
  dishesQuick: [
    [17, 1920, 0.02],
    [24, 70, 0.4],
    [13, 1920, 0.02],
    [14, 6, 0.3],
  ],
} as const satisfies Record<string, readonly Phase[]>

export type ProgrammeName = keyof typeof programmes

/** A machine that runs one programme at a time. `tick` gives mean W over the seconds. */
export class ProgrammeMachine {
  readonly #random: Random
  readonly #standby: number
  #phases: readonly Phase[] = []
  #elapsedMin = 0
  #stretch = 1

  constructor(random: Random, standbyWatts: number) {
    this.#random = random
    this.#standby = standbyWatts
  }

  get running(): boolean {
    return this.#phases.length > 0
  }

  start(name: ProgrammeName): void {
    this.#phases = programmes[name]
    this.#elapsedMin = 0
    // cold water and a full drum take longer
    this.#stretch = 0.92 + 0.16 * this.#random.next()
  }

  tick(seconds: number): number {
    let past = 0
    for (const [minutes, watts, swing] of this.#phases) {
      past += minutes * this.#stretch
      if (this.#elapsedMin < past) {
        this.#elapsedMin += seconds / 60
        return Math.max(1, watts * (1 + swing * (2 * this.#random.next() - 1)))
      }
    }
    this.#phases = []
    return this.#standby
  }
}
