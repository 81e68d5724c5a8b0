import { between, clamp, type Random } from './chance.ts'
import { onPlane } from './sun.ts'
import type { Sky } from './weather.ts'

/** W. Battery: discharge is +. Grid: import is +. grid = load - pv - battery. */
export interface Flows {
  readonly load: number
  readonly pv: number
  readonly battery: number
  readonly grid: number
}

export interface Panels {
  /** Rated output, kW. */
  readonly peakKw: number
  /** W that they deliver. */
  tick(sky: Sky): number
}

export interface Battery {
  readonly capacityKwh: number
  /** W into or out of the house for a surplus (-) or a need (+), W. */
  tick(need: number, seconds: number): number
  /** State of charge, %. */
  soc(): number
}

/** Roof panels: plane-of-array irradiance, cells that lose 0.37 %/K above 25 degC, an inverter with a ceiling. */
export function createPv(random: Random, northern: boolean): Panels {
  const peakKw = Math.round(between(random, 5.2, 9.8) * 10) / 10
  const tilt = between(random, 26, 42) * (Math.PI / 180)
  const azimuth = (northern ? Math.PI : 0) + between(random, -0.5, 0.5)
  const ceiling = peakKw * 850
  const tick = (sky: Sky): number => {
    const irradiance = onPlane(sky.sun, sky.light, tilt, azimuth)
    // Ross (1976): the cell warms with the light, less with wind
    const cell = sky.temperature + irradiance * (0.034 / (1 + 0.08 * sky.wind))
    const dc = peakKw * irradiance * (1 - 0.0037 * (cell - 25)) * 0.93
    // the inverter sleeps below 15 W and takes 10 W for itself
    return dc < 15 ? 0 : Math.min(ceiling, dc * 0.97 - 10)
  }
  return { peakKw, tick }
}

/** A battery that takes the surplus and covers the need, within its power, from 8 % to 100 %. */
export function createBattery(random: Random): Battery {
  const capacityKwh = Math.round(between(random, 6, 12))
  const capacityJ = capacityKwh * 3.6e6
  const limit = between(random, 2800, 4600)
  const oneWay = 0.955
  let stored = capacityJ * between(random, 0.2, 0.6)
  const floor = 0.08 * capacityJ
  return {
    capacityKwh,
    tick(need, seconds) {
      // its controller follows only what is worth it
      if (Math.abs(need) < 25) return 0
      if (need > 0) {
        const power = Math.min(need, limit, (Math.max(0, stored - floor) * oneWay) / seconds)
        stored -= (power * seconds) / oneWay
        return power
      }
      // the last tenth goes in slowly
      const taper = clamp((1 - stored / capacityJ) / 0.1, 0.12, 1)
      const power = Math.min(-need, limit * taper, Math.max(0, capacityJ - stored) / (oneWay * seconds))
      stored += power * seconds * oneWay
      return power === 0 ? 0 : -power
    },
    soc: () => clamp((100 * stored) / capacityJ, 0, 100),
  }
}

/** Counts energy: joules since its beginning, and what stood on the counter when it came into the house. */
export class Counter {
  readonly startKwh: number
  #joules = 0

  constructor(startKwh: number) {
    this.startKwh = startKwh
  }

  add(watts: number, seconds: number): void {
    this.#joules += watts * seconds
  }

  get joules(): number {
    return this.#joules
  }

  get kwh(): number {
    return this.startKwh + this.#joules / 3.6e6
  }
}
