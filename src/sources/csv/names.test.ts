import { describe, expect, it } from 'vitest'
import { readName } from './names.ts'

describe('readName', () => {
  const cases: [string, number[], string | undefined, string | undefined][] = [
    ['load_w', [1], 'power', 'W'],
    ['loadW', [1], 'power', 'W'],
    ['power_consumption_kwh', [1], 'energy', 'kWh'],
    ['energy_kWh', [1], 'energy', 'kWh'],
    ['meter_total_kwh', [1], 'energy_total', 'kWh'],
    ['Temperature[C]', [1], 'temperature', 'C'],
    ['Humidity [%]', [1], 'humidity', '%'],
    ['outdoor_temp_celsius', [1], 'temperature_outdoor', 'degC'],
    ['kitchen_temp_f', [70], 'temperature', 'degF'],
    ['PM2.5', [1], 'pm2_5', 'ug/m3'],
    ['value_PM10', [1], 'pm10', 'ug/m3'],
    ['eCO2[ppm]', [1], 'eco2', 'ppm'],
    ['TVOC[ppb]', [1], 'tvoc', 'ppb'],
    ['CO2', [400, 800], 'co2', 'ppm'],
    ['value_Temperatur', [4], 'temperature', 'degC'],
    ['value_Luftfeuchte', [95.6], 'humidity', '%'],
    ['rel. Luftfeuchte', [0], 'humidity', '%'],
    ['value_Lautstärke', [38], 'noise', 'dB'],
    ['value_Beleuchtungsstärke', [0], 'illuminance', 'lx'],
    ['Luftdruck', [1013], 'pressure', 'hPa'],
    ['door_open', [0, 1], 'door', 'state'],
    ['price_eur_per_mwh', [80], 'price', 'EUR/MWh'],
    ['wind_speed_m_s', [80], 'wind_speed', 'm/s'],
    // metric known, unit not
    ['Temperature', [21], 'temperature', undefined],
    ['Humidity', [0.3, 0.5], 'humidity', undefined],
    ['Light', [400], 'illuminance', undefined],
    ['Pressure', [0.38], 'pressure', undefined],
    ['Luftdruck', [101_300], 'pressure', 'Pa'],
    ['pressure', [0, 96_321], 'pressure', undefined],
    ['door_open', [7], 'door', undefined],
    ['Voltage', [230], 'voltage', undefined],
    // neither
    ['weight_w', [3], undefined, undefined],
    ['HumidityRatio', [0.004], undefined, undefined],
    ['power_rating_watt', [1500], undefined, undefined],
    ['value_UV-Intensität', [0], undefined, undefined],
    ['anomaly', [0], undefined, undefined],
  ]
  for (const [name, values, metric, unit] of cases) {
    it(`takes ${name} for ${metric ?? 'nothing'} in ${unit ?? 'no known unit'}`, () => {
      const read = readName(name, values)
      expect(read.metric).toBe(metric)
      if (metric !== undefined) expect(read.unit).toBe(unit)
    })
  }

  it('does not take a forecast for a measurement', () => {
    expect(readName('pv_forecast_w', [1])).toMatchObject({ not: 'a forecast, not a measurement' })
  })

  it('keeps whose value it is', () => {
    expect(readName('kitchen_temp_c', [1]).subject).toBe('kitchen')
    expect(readName('load_w', [1]).subject).toBe('load')
  })
})
