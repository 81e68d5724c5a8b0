import { dayMs } from '../../core/time.ts'
/** Where the sun stands. Angles in radians; azimuth from north over east. */
export interface Sun {
  readonly elevation: number
  readonly azimuth: number
}

/** Irradiance in W/m2: on the horizontal, its diffuse part, and the direct beam on a plane that faces the sun. */
export interface Irradiance {
  readonly global: number
  readonly diffuse: number
  readonly beam: number
}

const yearMs = 365.2425 * dayMs
const degree = Math.PI / 180
const solarConstant = 1361

/** Angle of the year, 0 on 1 January. */
export const yearAngle = (at: number): number =>
  2 * Math.PI * ((((at - Date.UTC(2000, 0, 1)) / yearMs) % 1) + 1)

/** Sun position by the Fourier series of Spencer (1971) for declination and equation of time; good to 0.1 degree. */
export function sunAt(at: number, latitude: number, longitude: number): Sun {
  const g = yearAngle(at)
  const declination =
    0.006918 -
    0.399912 * Math.cos(g) +
    0.070257 * Math.sin(g) -
    0.006758 * Math.cos(2 * g) +
    0.000907 * Math.sin(2 * g) -
    0.002697 * Math.cos(3 * g) +
    0.00148 * Math.sin(3 * g)
  const equationMinutes =
    229.18 *
    (0.000075 +
      0.001868 * Math.cos(g) -
      0.032077 * Math.sin(g) -
      0.014615 * Math.cos(2 * g) -
      0.040849 * Math.sin(2 * g))
  const solarMinutes = ((at / 60_000) % 1440) + 4 * longitude + equationMinutes
  const hourAngle = (solarMinutes / 4 - 180) * degree
  const phi = latitude * degree
  const sine =
    Math.sin(phi) * Math.sin(declination) + Math.cos(phi) * Math.cos(declination) * Math.cos(hourAngle)
  const elevation = Math.asin(sine)
  const east = -Math.cos(declination) * Math.sin(hourAngle)
  const north =
    Math.cos(phi) * Math.sin(declination) - Math.sin(phi) * Math.cos(declination) * Math.cos(hourAngle)
  return { elevation, azimuth: Math.atan2(east, north) }
}

/**
 * Irradiance under clouds. Clear sky: Haurwitz (1945); `transmittance` is what the clouds let through, 0..1;
 * the diffuse part by Erbs, Klein and Duffie (1982).
 */
export function irradianceAt(at: number, sun: Sun, transmittance: number): Irradiance {
  const height = Math.sin(sun.elevation)
  if (height <= 0.01) return { global: 0, diffuse: 0, beam: 0 }
  const global = 1098 * height * Math.exp(-0.057 / height) * transmittance
  const outside = solarConstant * (1 + 0.033 * Math.cos(yearAngle(at))) * height
  const k = Math.min(global / outside, 1)
  const share =
    k <= 0.22
      ? 1 - 0.09 * k
      : k <= 0.8
        ? 0.9511 - 0.1604 * k + 4.388 * k ** 2 - 16.638 * k ** 3 + 12.336 * k ** 4
        : 0.165
  const diffuse = global * share
  // a sun on the horizon would divide by nothing
  return { global, diffuse, beam: (global - diffuse) / Math.max(height, 0.08) }
}

/** W/m2 on a plane: `tilt` 0 is flat, pi/2 a wall; isotropic sky, ground that reflects 20 % (Liu and Jordan, 1963). */
export function onPlane(sun: Sun, light: Irradiance, tilt: number, azimuth: number): number {
  if (light.global <= 0) return 0
  const facing =
    Math.sin(sun.elevation) * Math.cos(tilt) +
    Math.cos(sun.elevation) * Math.sin(tilt) * Math.cos(sun.azimuth - azimuth)
  return (
    light.beam * Math.max(0, facing) +
    (light.diffuse * (1 + Math.cos(tilt))) / 2 +
    (light.global * 0.2 * (1 - Math.cos(tilt))) / 2
  )
}
