import { clamp, happens, type Random } from './chance.ts'
import type { Tick } from './civil.ts'
import type { Life } from './occupants.ts'
import type { RoomState } from './rooms.ts'
import type { Sky } from './weather.ts'

/** What a multi-sensor smoke detector sees: gases in ppb and ppm, raw resistance codes, particles, alarm. */
export interface SmokeAir {
  readonly tvoc: number
  readonly eco2: number
  readonly rawH2: number
  readonly rawEthanol: number
  readonly pm1: number
  readonly pm25: number
  readonly nc05: number
  readonly nc10: number
  readonly nc25: number
  readonly smoke: 0 | 1
}

/**
 * Kitchen air: vapours and particles rise with cooking and cleaning and go with ventilation; now and then toast burns.
 * Baselines of the raw codes (H2 near 13,000, ethanol near 20,000, both fall as gases rise) are those of the SGP30.
 */
export function createSmokeAir(
  random: Random,
): (now: Tick, sky: Sky, life: Life, kitchen: RoomState) => SmokeAir {
  let tvoc = 70
  let pm25 = 4
  let burning = 0
  let drift = 0
  let alarm = false
  return (now, sky, life, kitchen) => {
    const minutes = now.seconds / 60
    let gas = 0
    let dust = 0
    for (const person of life.people) {
      if (person.room !== 'kitchen') continue
      gas += person.activity === 'cook' ? 20 : person.activity === 'chores' ? 14 : 1.5
      dust += person.activity === 'cook' ? 1.1 : person.activity === 'chores' ? 0.25 : 0.05
      if (person.activity === 'cook' && happens(random, 0.016, now.seconds)) burning = 5
    }
    if (burning > 0) {
      burning -= minutes
      gas += 260
      dust += 55
    }
    const airing = kitchen.windowOpen ? 0.12 : dust > 1 ? 0.06 : 0.022
    const outside = 3 + 1.5 * (1 - clamp(sky.wind / 8, 0, 1))
    tvoc = Math.max(0, tvoc + (gas - (tvoc - 45) * airing) * minutes)
    pm25 = Math.max(0.3, pm25 + (dust - (pm25 - outside) * (airing + 0.01)) * minutes)
    drift = clamp(drift + 0.4 * random.normal() * Math.sqrt(minutes), -120, 120)
    if (pm25 > 140) alarm = true
    if (pm25 < 70) alarm = false
    const reduction = Math.log1p(tvoc / 60)
    const grain = pm25 * (1 + 0.03 * random.normal())
    return {
      tvoc,
      eco2: Math.max(400, 400 + (tvoc - 60) * 1.35),
      rawH2: 13_260 - 230 * reduction + drift,
      rawEthanol: 20_080 - 460 * reduction + drift,
      pm1: 0.93 * grain,
      pm25: grain,
      // particles of 0.5, 1 and 2.5 um and less per cm3, in the ratios of a Sensirion SPS30
      nc05: 6.7 * grain,
      nc10: 7.4 * grain,
      nc25: 7.6 * grain,
      smoke: alarm ? 1 : 0,
    }
  }
}
