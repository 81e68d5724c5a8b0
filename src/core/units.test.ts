import { describe, expect, it } from 'vitest'
import { canonicalUnit, convert, knownMetrics, toCanonical } from './units.ts'

describe('units', () => {
  it.each([
    ['temperature', 'degF', 32, 0],
    ['temperature', 'K', 273.15, 0],
    ['power', 'kW', 1.5, 1500],
    ['energy', 'Wh', 1500, 1.5],
    ['energy', 'MJ', 3.6, 1],
    ['energy', 'J', 3_600_000, 1],
    ['pressure', 'Pa', 101_325, 1013.25],
    ['pressure', 'inHg', 29.92, 1013.207],
    ['tvoc', 'ppm', 0.4, 400],
    ['co2', 'ppb', 400_000, 400],
    ['pm2_5', 'mg/m3', 0.01, 10],
    ['humidity', '%RH', 40, 40],
    ['soc', '1', 0.4, 40],
    ['price', 'EUR/MWh', 80, 0.08],
    ['wind_speed', 'km/h', 36, 10],
  ])('%s in %s: %d becomes %d', (metric, unit, given, expected) => {
    const affine = toCanonical(metric, unit)
    expect(affine).toBeDefined()
    expect(given * affine!.scale + affine!.offset).toBeCloseTo(expected, 2)
  })

  it('gives each known metric a canonical unit that converts to itself', () => {
    for (const metric of knownMetrics) {
      const unit = canonicalUnit(metric)
      expect(unit, metric).toBeDefined()
      expect(toCanonical(metric, unit!), metric).toMatchObject({ scale: 1, offset: 0 })
    }
  })

  it('refuses a unit of another dimension', () => {
    expect(toCanonical('temperature', '%')).toBeUndefined()
    expect(convert(1, 'kWh', 'W')).toBeUndefined()
  })

  it('converts between two units of one dimension, both ways', () => {
    expect(convert(1, 'kWh', 'Wh')).toBeCloseTo(1000)
    expect(convert(100, 'degC', 'degF')).toBeCloseTo(212)
    expect(convert(212, 'degF', 'K')).toBeCloseTo(373.15)
    expect(convert(1, 'MW', 'mW')).toBeCloseTo(1e9)
  })
})
