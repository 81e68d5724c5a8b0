import { minuteMs } from '../../core/time.ts'
/**
 * Data sets that many people have, whose publishers document what the header does not say. A file is taken for one
 * of them by its column names; whatever is known only from the publisher is written here and nowhere else.
 */

/** What is known of a column. `device` "@column" is the text of the device column, "@file" the file's name. */
export type KnownColumn =
  | {
      readonly metric: string
      readonly unit: string
      readonly device: string
      readonly room?: string
      readonly factor?: number
    }
  | { readonly skip: string; readonly column?: string }

export interface KnownSet {
  readonly name: string
  /** Lower-case names that all must be there. */
  readonly signature: readonly string[]
  /** By lower-case name. `stepMs` is the usual distance of two rows. */
  readonly columns: (stepMs: number) => Readonly<Record<string, KnownColumn>>
  /** A role that the column names alone would not give away. */
  readonly device?: string
  /** Zone of its times where they have no offset. */
  readonly zone?: string
  /** Cell that marks a row in which nothing was measured, when all other numbers of the row are 0, too. */
  readonly gap?: { readonly column: string; readonly value: string }
  /** A log of events: the cell of `column` is where something was seen, `device` is what saw it. */
  readonly events?: {
    readonly column: string
    readonly device: string
    readonly rules: readonly { readonly device: RegExp; readonly metric: string; readonly room: boolean }[]
  }
}

export const knownSets: readonly KnownSet[] = [
  {
    // Hebrail and Berard, "Individual household electric power consumption", UCI 2012, CC BY 4.0
    name: 'UCI household power consumption',
    signature: ['global_active_power', 'voltage', 'sub_metering_1'],
    gap: { column: 'voltage', value: '0' },
    columns: (stepMs) => ({
      ...Object.fromEntries(
        ['1', '2', '3', '4'].map((n) => [
          `sub_metering_${n}`,
          { metric: 'energy', unit: 'Wh', device: '@name' },
        ]),
      ),
      ...(stepMs > minuteMs ? householdSums : householdMinutes),
    }),
  },
  {
    // Candanedo, "Appliances energy prediction", UCI 2017, CC BY 4.0
    name: 'UCI appliances energy',
    signature: ['appliances', 'lights', 't1', 'rh_1', 'tdewpoint'],
    columns: () => ({
      appliances: { metric: 'energy', unit: 'Wh', device: 'appliances' },
      lights: { metric: 'energy', unit: 'Wh', device: 'lights' },
      ...Object.fromEntries(applianceRooms.flatMap((room, index) => climateOf(room, index + 1))),
      t_out: { metric: 'temperature_outdoor', unit: 'degC', device: 'weather' },
      press_mm_hg: { metric: 'pressure', unit: 'mmHg', device: 'weather' },
      rh_out: { metric: 'humidity', unit: '%', device: 'weather' },
      windspeed: { metric: 'wind_speed', unit: 'm/s', device: 'weather' },
      tdewpoint: { metric: 'dew_point', unit: 'degC', device: 'weather' },
      visibility: { skip: 'a distance in km, for which there is no metric', column: 'weather/visibility:km' },
      rv1: { skip: 'random numbers, put there by its publisher' },
      rv2: { skip: 'random numbers, put there by its publisher' },
    }),
  },
  {
    // Candanedo, "Occupancy detection", UCI 2016, CC BY 4.0
    name: 'UCI occupancy detection',
    signature: ['temperature', 'humidity', 'light', 'co2', 'humidityratio', 'occupancy'],
    columns: () => ({
      temperature: { metric: 'temperature', unit: 'degC', device: '@file' },
      humidity: { metric: 'humidity', unit: '%', device: '@file' },
      light: { metric: 'illuminance', unit: 'lx', device: '@file' },
      co2: { metric: 'co2', unit: 'ppm', device: '@file' },
      occupancy: { metric: 'occupied', unit: 'state', device: '@file' },
      humidityratio: {
        skip: 'computed from temperature and humidity, not measured',
        column: 'DEVICE/humidity_ratio:kg/kg',
      },
    }),
  },
  {
    name: 'energy backend sample (19 columns)',
    signature: ['device_id', 'power_consumption_kwh', 'duration_minutes', 'timestamp'],
    device: 'device_id',
    columns: () => ({
      power_consumption_kwh: { metric: 'energy', unit: 'kWh', device: '@column' },
      duration_minutes: { metric: 'duration', unit: 'min', device: '@column' },
      indoor_temp_celsius: { metric: 'temperature', unit: 'degC', device: 'home' },
      outdoor_temp_celsius: { metric: 'temperature_outdoor', unit: 'degC', device: 'home' },
      humidity_percent: { metric: 'humidity', unit: '%', device: 'home' },
      tariff_rate: { metric: 'price', unit: 'currency/kWh', device: 'home' },
      occupancy_count: { metric: 'occupancy_count', unit: 'persons', device: 'home' },
      motion_detected: { metric: 'motion', unit: 'state', device: 'home' },
      is_peak_tariff: { skip: 'follows from the tariff' },
      ...Object.fromEntries(applianceFacts.map((name) => [name, { skip: factAboutDevice }])),
    }),
  },
  {
    // https://archive.sensor.community: temperatures in degC, pressures in Pa, dust in ug/m3, times in UTC
    name: 'sensor.community archive',
    signature: ['sensor_id', 'sensor_type', 'location', 'lat', 'lon', 'timestamp'],
    device: 'sensor_id',
    zone: 'UTC',
    columns: () => ({
      p1: { metric: 'pm10', unit: 'ug/m3', device: '@column' },
      p2: { metric: 'pm2_5', unit: 'ug/m3', device: '@column' },
      p0: { metric: 'pm1', unit: 'ug/m3', device: '@column' },
      temperature: { metric: 'temperature', unit: 'degC', device: '@column' },
      humidity: { metric: 'humidity', unit: '%', device: '@column' },
      pressure: { metric: 'pressure', unit: 'Pa', device: '@column' },
      pressure_sealevel: { skip: 'computed from pressure and altitude, not measured' },
      altitude: { skip: 'where the sensor stands' },
      lat: { skip: 'where the sensor stands' },
      lon: { skip: 'where the sensor stands' },
    }),
  },
  {
    // records as the home care hub fetches them from its buckets
    name: 'home care event records',
    signature: ['sensor', 'bucket', 'timestamp', 'value', 'type'],
    columns: () => ({
      bucket: { skip: 'names where the record was kept, not what was measured' },
      type: { skip: 'says what kind of record it is' },
      sensor_encoded: { skip: 'the sensor again, as a number' },
    }),
    events: {
      column: 'value',
      device: 'sensor',
      rules: [
        { device: /pir|motion/i, metric: 'motion', room: true },
        { device: /magnetic|door|contact/i, metric: 'door', room: false },
      ],
    },
  },
]

const factAboutDevice = 'a fact about the device, not a measurement'
const applianceFacts = [
  'device_type',
  'power_rating_watt',
  'energy_efficiency_rating',
  'standby_power_watt',
  'mode_of_operation',
  'age_of_appliance_years',
  'maintenance_last_date',
  'peak_power_draw_watt',
]

/** T1, RH_1 and so on, in the publisher's order. The sixth stands outside, on the north side. */
const applianceRooms = [
  'kitchen',
  'living_room',
  'laundry_room',
  'office',
  'bathroom',
  'outside_north',
  'ironing_room',
  'teenager_room',
  'parents_room',
]

function climateOf(room: string, number: number): [string, KnownColumn][] {
  const outside = room.startsWith('outside')
  const place = outside ? { device: room } : { device: room, room }
  return [
    [`t${number}`, { metric: outside ? 'temperature_outdoor' : 'temperature', unit: 'degC', ...place }],
    [`rh_${number}`, { metric: 'humidity', unit: '%', ...place }],
  ]
}

/** One row a minute, as published. */
const householdMinutes: Readonly<Record<string, KnownColumn>> = {
  global_active_power: { metric: 'power', unit: 'kW', device: 'house' },
  voltage: { metric: 'voltage', unit: 'V', device: 'house' },
  global_intensity: { metric: 'current', unit: 'A', device: 'house' },
  global_reactive_power: {
    skip: 'reactive power in kvar, for which there is no metric',
    column: 'house/reactive_power:kvar',
  },
}

const sums = 'the sum of its values of the interval’s minutes, unit not stated'
/** Rows that sum up the minutes of a longer interval: a sum of kW over minutes is kWh only after division by 60. */
const householdSums: Readonly<Record<string, KnownColumn>> = {
  global_active_power: { skip: sums, column: 'house/energy:kWh*0.0166667' },
  global_reactive_power: { skip: sums, column: 'house/reactive_energy:kvarh*0.0166667' },
  voltage: { skip: sums, column: 'house/voltage:V*0.0166667' },
  global_intensity: { skip: sums, column: 'house/current:A*0.0166667' },
}
