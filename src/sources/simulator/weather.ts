import { hourMs } from '../../core/time.ts'
import { type CreateRandom, clamp, createNoise, seedOf } from './chance.ts'
import { type Irradiance, irradianceAt, type Sun, sunAt, yearAngle } from './sun.ts'

export interface Place {
  readonly latitude: number
  readonly longitude: number
}

/** The air outside, at one moment. */
export interface Sky {
  readonly temperature: number
  /** Relative, %. */
  readonly humidity: number
  /** Water in the air, g/m3. */
  readonly vapour: number
  /** At sea level, hPa. */
  readonly pressure: number
  /** 0..1. */
  readonly cloud: number
  /** m/s. */
  readonly wind: number
  /** mm/h. */
  readonly rain: number
  readonly sun: Sun
  readonly light: Irradiance
}

/**
 * Weather as a function of (seed, time): a year's course set by latitude, fronts that take days, a day's course that
 * clouds flatten, and clouds that drift by within minutes.
 */
export function createWeather(createRandom: CreateRandom, seed: number, place: Place): (at: number) => Sky {
  const noise = (name: string, hours: number): ((at: number) => number) =>
    createNoise(createRandom, seedOf(seed, 'weather', name), hours * hourMs)
  const front = noise('front', 40)
  const airMass = noise('air-mass', 96)
  const hourly = noise('hourly', 5)
  const cover = noise('cover', 9)
  const drift = noise('drift', 0.7)
  const puff = noise('puff', 0.13)
  const gust = noise('gust', 0.4)
  const shower = noise('shower', 1.3)
  const moisture = noise('moisture', 30)

  // fitted by eye to climate tables: 10 degC +- 10 at 52 degrees, 27 degC +- 1 at the equator
  const meanTemperature = 27.5 - 0.0065 * place.latitude ** 2
  const seasonSwing = -0.19 * place.latitude
  const coldestAngle = (2 * Math.PI * 20) / 365

  return (at) => {
    const sun = sunAt(at, place.latitude, place.longitude)
    const season = Math.cos(yearAngle(at) - coldestAngle)
    const winter = place.latitude >= 0 ? season : -season
    const lowPressure = front(at)
    const cloudiness = 0.32 + 0.7 * winter + 1.5 * lowPressure + 1.1 * cover(at) + 0.5 * drift(at)
    const cloud = 1 / (1 + Math.exp(-1.6 * cloudiness))
    const light = irradianceAt(at, sun, transmittance(cloud, puff(at)))

    const solarHour = (((at / hourMs + place.longitude / 15) % 24) + 24) % 24
    const daySwing = (2 + 3.2 * (1 - cloud)) * (1 - 0.35 * winter)
    const temperature =
      meanTemperature +
      seasonSwing * season +
      2.6 * airMass(at) +
      1.2 * lowPressure * winter +
      0.5 * hourly(at) +
      daySwing * Math.cos(((solarHour - 15) / 12) * Math.PI)
    const spread = 3.6 + 4.5 * (1 - cloud) - 1.2 * winter + 1.2 * moisture(at)
    const dewPoint = Math.min(
      temperature - 0.1,
      meanTemperature + seasonSwing * season + 2.2 * airMass(at) + 0.6 * lowPressure - spread,
    )
    const vapour = saturation(dewPoint)
    const wetness = cloud > 0.8 ? clamp(shower(at) + lowPressure - 0.9, 0, 3) : 0
    return {
      temperature,
      humidity: clamp((100 * vapour) / saturation(temperature), 15, 100),
      vapour,
      pressure: 1015 - 7.5 * lowPressure + 2 * airMass(at),
      cloud,
      wind: Math.exp(1 + 0.3 * lowPressure + 0.25 * winter + 0.22 * gust(at)),
      rain: wetness ** 2 * 1.6,
      sun,
      light,
    }
  }
}

/** What clouds let through: Kasten and Czeplak (1980), and under broken clouds sun and shade take turns. */
function transmittance(cloud: number, puff: number): number {
  const mean = 1 - 0.75 * cloud ** 3.4
  const broken = 4 * cloud * (1 - cloud)
  return clamp(mean * (1 + 0.42 * broken * clamp(puff, -1.8, 1)), 0.04, 1.05)
}

/** Most water that air holds at a temperature, g/m3: Magnus formula with the constants of Alduchov and Eskridge (1996). */
export function saturation(temperature: number): number {
  const pascal = 610.94 * Math.exp((17.625 * temperature) / (temperature + 243.04))
  return (2.16679 * pascal) / (temperature + 273.15)
}
