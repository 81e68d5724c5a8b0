import { describe, expect, it } from 'vitest'
import { canonicalUnit, convert, knownMetrics, toCanonical, unitFault } from './units.ts'

describe('units', () => {
  it.each([
    ['temperature', 'degF', 32, 0],
    ['temperature', 'K', 273.15, 0],
    ['power', 'kW', 1.5, 1500],
    ['energy', 'Wh', 1500, 1.5],
    ['energy', 'MJ', 3.6, 1],
    ['energy', 'J', 3_600_000, 1],
    ['pressure', 'Pa', 101_325, 1013.25],
    ['pressure', 'inHg', 29.92, 1013.207489],
    ['tvoc', 'ppm', 0.4, 400],
    ['co2', 'ppb', 400_000, 400],
    ['pm2_5', 'mg/m3', 0.01, 10],
    ['humidity', '%RH', 40, 40],
    ['soc', '1', 0.4, 40],
    ['price', 'EUR/MWh', 80, 0.08],
    ['wind_speed', 'km/h', 36, 10],
    ['energy', 'mWh', 7_148.092, 0.007148092],
    ['energy', 'MWh', 5, 5000],
    ['energy', 'GWh', 1, 1e6],
    ['energy_total', 'Wmin', 60_000, 1],
    ['energy', 'MJ', 36, 10],
    ['energy', 'mJ', 3.6e12, 1000],
    ['voltage', 'MV', 0.11, 110_000],
    ['voltage', 'mV', 500, 0.5],
    ['pressure', 'MPa', 0.2, 2000],
    ['apparent_power', 'kVA', 1.2, 1200],
    ['reactive_power', 'VAr', 30, 30],
    ['reactive_energy', 'kVArh', 10, 10],
    // in other case, where that is clear
    ['energy', 'kwh', 2, 2],
    ['energy', 'KWH', 2, 2],
    ['power', 'w', 2, 2],
    ['power', 'KW', 2, 2000],
    ['energy', 'MWH', 2, 2000],
    ['energy', 'mWH', 2_000_000, 2],
    ['pressure', 'mBar', 1013, 1013],
    ['pressure', 'HPA', 1013, 1013],
    ['rain', 'MM', 3, 3],
    // in words
    ['energy', 'kilowatt hours', 2, 2],
    ['energy', 'Kilowatt-Hours', 2, 2],
    ['energy', 'watt-hours', 2000, 2],
    ['energy', 'Wattstunden', 2000, 2],
    ['energy', 'kilowattheures', 2, 2],
    ['energy', 'megawatt hour', 2, 2000],
    ['power', 'watts', 2, 2],
    ['power', 'Milliwatt', 2000, 2],
    ['power', 'en kW', 2, 2000],
    ['power', '[kW]', 2, 2000],
    ['power', 'in W', 2, 2],
    ['temperature', 'Grad Celsius', 21, 21],
    ['temperature', 'degrés Celsius', 21, 21],
    ['temperature', 'degrees F', 212, 100],
    ['temperature', '° C', 21, 21],
    ['humidity', 'Prozent', 40, 40],
    ['humidity', 'per cent', 40, 40],
    ['voltage', 'millivolts', 500, 0.5],
    ['current', 'Ampères', 3, 3],
  ])('%s in %s: %d becomes %d', (metric, unit, given, expected) => {
    const affine = toCanonical(metric, unit)
    expect(affine).toBeDefined()
    expect(given * affine!.scale + affine!.offset).toBeCloseTo(expected, 5)
  })

  it('gives each known metric a canonical unit that converts to itself', () => {
    for (const metric of knownMetrics) {
      const unit = canonicalUnit(metric)
      expect(unit, metric).toBeDefined()
      expect(toCanonical(metric, unit!), metric).toMatchObject({ scale: 1, offset: 0 })
    }
  })

  it.each([
    ['power', 'mw', ['mW', 'MW']],
    ['energy', 'mwh', ['mWh', 'MWh']],
    ['energy', 'mj', ['mJ', 'MJ']],
    ['voltage', 'mv', ['mV', 'MV']],
    ['power', 'en mw', ['mW', 'MW']],
  ])('refuses %s in %s, which may be milli or mega', (metric, unit, options) => {
    expect(toCanonical(metric, unit)).toBeUndefined()
    expect(unitFault(metric, unit)).toEqual({ kind: 'ambiguous', options })
  })

  it.each([
    ['power', 'VA', ['apparent_power']],
    ['power', 'VAr', ['reactive_power']],
    ['energy_total', 'kVArh', ['reactive_energy']],
    ['power', 'hp', []],
  ])('does not take %s in %s, and names the metrics in such units', (metric, unit, metrics) => {
    expect(toCanonical(metric, unit)).toBeUndefined()
    expect(unitFault(metric, unit)).toEqual({ kind: 'unfit', metrics })
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
