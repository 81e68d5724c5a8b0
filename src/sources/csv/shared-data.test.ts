import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseReading, type RawReading } from '../../core/reading.ts'
import { importCsv } from '../csv.ts'
import { guessMapping } from './guess.ts'
import type { MappingFlags } from './guess-context.ts'
import { readHead } from './head.ts'

const data = join(import.meta.dirname, '../../../../shared/data')
const context = { now: Date.UTC(2030, 0, 1), defaultSite: 'home', maxFutureMs: 0, dayStart: () => 0 }

/** Imports a file with nothing but guesses; every reading passes the hub's own parser. */
async function imported(name: string, flags: MappingFlags = {}) {
  const head = await readHead(join(data, name))
  const mapping = guessMapping(head, flags)
  const series = new Map<string, number>()
  const sums = new Map<string, number>()
  const rooms = new Set<string>()
  let first: RawReading | undefined
  const { counts } = await importCsv(
    {
      head,
      mapping,
      emit: async (batch) => {
        const rejected = batch.flatMap((raw, index) => {
          const parsed = parseReading(raw, context)
          if (!parsed.ok) return [{ index, problem: parsed.problem }]
          const { device, metric, unit, value, room } = parsed.reading
          const key = `${device} ${metric} ${unit}`
          series.set(key, (series.get(key) ?? 0) + 1)
          sums.set(key, (sums.get(key) ?? 0) + value)
          if (room !== undefined) rooms.add(room)
          first ??= raw
          return []
        })
        return { accepted: batch.length - rejected.length, rejected }
      },
      onBad: async () => undefined,
      onProgress: () => undefined,
      onCheckpoint: async () => undefined,
    },
    new AbortController().signal,
  )
  const skipped = Object.fromEntries(mapping.skipped.map(({ name: column, why }) => [column, why]))
  return { mapping, counts, series, sums, rooms, skipped, first }
}

const describeWithData = existsSync(data) ? describe : describe.skip
const why = existsSync(data) ? '' : ' (skipped: there is no ../shared/data)'

describeWithData(`files that people have${why}`, () => {
  it('household power: four devices with energy, gaps dropped, sums skipped', async () => {
    const { counts, series, sums, skipped } = await imported(
      'energy_household/household_power_consumption_hourly_sub4.csv',
    )
    const devices = ['Sub_metering_1', 'Sub_metering_2', 'Sub_metering_3', 'sub_metering_4']
    expect(counts).toMatchObject({ rows: 34_589, gaps: 421, badRows: 0, empty: 0, devices })
    expect(Object.fromEntries(series)).toEqual(
      Object.fromEntries(devices.map((one) => [`${one} energy kWh`, 34_168])),
    )
    // four years of the largest sub-meter, in kWh
    expect(sums.get('Sub_metering_3 energy kWh')).toBeGreaterThan(10_000)
    expect(sums.get('Sub_metering_3 energy kWh')).toBeLessThan(16_000)
    expect(Object.keys(skipped)).toEqual([
      'Global_active_power',
      'Global_reactive_power',
      'Voltage',
      'Global_intensity',
    ])
    expect(skipped['Voltage']).toContain('sum')
  })

  it('openSenseMap: one device named after the file', async () => {
    for (const station of ['SCOE', 'Lake_Barmen', 'Station_Kaiser', 'home_Klinga']) {
      const { series, counts, skipped } = await imported(`opensensemap/${station}.csv`)
      expect(new Set(series.keys())).toEqual(
        new Set([
          `${station} pm2_5 ug/m3`,
          `${station} humidity %`,
          `${station} pm10 ug/m3`,
          `${station} noise dB`,
          `${station} temperature degC`,
          `${station} illuminance lx`,
        ]),
      )
      expect(counts).toMatchObject({ badRows: 0, devices: [station] })
      expect(Object.keys(skipped)).toEqual(['value_UV-Intensität'])
    }
  })

  it('load and PV: two devices, no forecast, empty cells left out', async () => {
    const { series, counts, skipped } = await imported('energy_load/load_30min.csv')
    expect([...series.keys()].sort()).toEqual(['load power W', 'pv power W'])
    expect(skipped).toEqual({ pv_forecast_w: 'a forecast, not a measurement' })
    expect(counts).toMatchObject({ rows: 16_854, readings: 24_949, empty: 8759, badRows: 0 })
  })

  it('the energy backend’s 19 columns: energy and duration of each device, climate and price of the home', async () => {
    const { series, counts } = await imported('energy_sample/smart_home_energy_sample.csv')
    expect(counts).toMatchObject({ rows: 220, badRows: 0 })
    expect(counts.devices).toHaveLength(11)
    expect(series.get('home price currency/kWh')).toBe(220)
    expect(series.get('home temperature_outdoor degC')).toBe(220)
    expect([...series.keys()].filter((key) => key.endsWith(' energy kWh'))).toHaveLength(10)
    expect([...series.keys()].filter((key) => key.endsWith(' duration min'))).toHaveLength(10)
  })

  it('occupancy: header one name short, units by its publisher', async () => {
    const { series, counts, skipped } = await imported('occupancy_uci/datatraining.txt')
    expect([...series.keys()].map((key) => key.split(' ').slice(1).join(' '))).toEqual([
      'temperature degC',
      'humidity %',
      'illuminance lx',
      'co2 ppm',
      'occupied state',
    ])
    expect(counts).toMatchObject({ rows: 8143, readings: 5 * 8143, devices: ['datatraining'] })
    expect(Object.keys(skipped)).toEqual(['row_number', 'HumidityRatio'])
  })

  it('home care records: motion by room, the door apart', async () => {
    const { series, rooms, counts, first } = await imported('homecare/all_data_unformatted.csv')
    expect(series.get('bathroom_PIR motion state')).toBe(5906)
    expect(series.get('livingroom_magnetic_switch door state')).toBe(893)
    expect([...rooms].sort()).toEqual(['bathroom', 'corridor', 'kitchen', 'livingroom', 'livingroombedarea'])
    expect(counts).toMatchObject({ rows: 18_583, readings: 18_583, badRows: 0 })
    expect(first).toMatchObject({ device: 'kitchen_PIR', value: 1, room: 'corridor', at: 1_730_376_846_000 })
  })

  it('appliances: quoted and padded numbers, Wh of ten minutes, nine rooms', async () => {
    const { series, sums, counts, rooms } = await imported('energy_appliances/energydata_complete.csv')
    expect(counts).toMatchObject({ rows: 19_735, badRows: 0, readings: 25 * 19_735 })
    expect(rooms.size).toBe(8)
    expect(series.get('kitchen temperature degC')).toBe(19_735)
    const mean = (key: string) => (sums.get(key) ?? Number.NaN) / 19_735
    expect(mean('appliances energy kWh')).toBeCloseTo(0.0977, 4)
    expect(mean('weather pressure hPa')).toBeGreaterThan(990)
    expect(mean('weather pressure hPa')).toBeLessThan(1020)
  })

  it('smoke: no time column is an error that names the flags; with them it is imported', async () => {
    const file = 'smoke/smoke_detection_iot_4cols.csv'
    await expect(imported(file)).rejects.toMatchObject({
      code: 'mapping_unclear',
      message: expect.stringMatching(/no column holds times.*--time COL.*--start .* --every/),
    })
    const { series, counts } = await imported(file, {
      start: '2022-06-09T00:00:00Z',
      every: '1s',
      device: 'detector',
    })
    expect([...series.keys()]).toEqual([
      'detector temperature degC',
      'detector humidity %',
      'detector eco2 ppm',
      'detector smoke state',
    ])
    expect(counts).toMatchObject({ rows: 62_630, badRows: 0 })
  })

  it('files whose units nobody states: nothing is guessed', async () => {
    for (const file of [
      'skab/valve1/1.csv',
      'nab/data/realKnownCause/ambient_temperature_system_failure.csv',
      'carbon/europe_GB.csv',
    ]) {
      const { counts } = await imported(file)
      expect(counts.readings).toBe(0)
    }
  })
})
