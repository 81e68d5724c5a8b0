import { z } from 'zod'

/** Keys of the ways in beside MQTT. */

const kib = 1024
const name = z.string().min(1).max(200)
const names = (...usual: readonly string[]) =>
  z
    .array(name)
    .max(100)
    .default([...usual])
    .meta({ examples: usual })

const pointMapping = z.strictObject({
  measurement: name.optional().describe('Only points of this measurement.'),
  field: name.optional().describe('Only this field.'),
  tags: z.record(z.string(), z.string()).optional().describe('Only points with these tags.'),
  site: name.optional().describe('The site.'),
  device: name
    .optional()
    .describe('The device. Texts may hold {measurement}, {field}, {database} and the name of a tag.'),
  metric: name.optional().describe('The metric.'),
  unit: z.string().min(1).max(20).optional().describe('The unit.'),
  room: name.optional().describe('The room.'),
})

export const influx = z
  .strictObject({
    ownDatabases: names('home_assistant', 'homeassistant', 'Home Assistant', 'telegraf', 'esphome').describe(
      "Databases and buckets that mean the hub's own site; any other name is a site.",
    ),
    siteTags: names('site').describe('Tags that name the site; of several the first that a point has.'),
    deviceTags: names(
      ...['device', 'device_id', 'sensor_id', 'entity_id', 'node', 'topic', 'name', 'host'],
    ).describe(
      'Tags that name the device. Further tags are added behind it, so that different points stay apart.',
    ),
    metricTags: names('metric', 'sensor_type').describe(
      'Tags that name the metric; without one it is the measurement, the field, or both.',
    ),
    unitTags: names('unit', 'unit_of_measurement').describe('Tags that name the unit.'),
    roomTags: names('room', 'location', 'area').describe('Tags that name the room.'),
    ignoredTags: names(
      ...['domain', 'friendly_name', 'device_class', 'state_class', 'source', 'icon', 'fstype', 'mode'],
    ).describe('Tags that do not tell one device from another.'),
    neutralMeasurements: names(
      ...['mqtt_consumer', 'http', 'exec', 'file', 'sensor', 'sensors', 'reading', 'readings', 'data'],
    ).describe('Measurements that do not tell what is measured.'),
    mappings: z
      .array(pointMapping)
      .max(1000)
      .default([])
      .meta({
        examples: [{ measurement: 'weather', field: 'temp', metric: 'temperature_outdoor', unit: 'degC' }],
      })
      .describe(
        'Exceptions. The first that fits a field of a point decides what it gives; the rest is as usual.',
      ),
  })
  .prefault({})
  .describe('Readings over the write interface of InfluxDB.')

export const ingest = z
  .strictObject({
    clients: z.int().min(0).max(100_000).default(100).describe('Connections at the same time.'),
    frameBytes: z
      .int()
      .min(64 * kib)
      .max(64 * kib * kib)
      .default(kib * kib)
      .describe('Length of a frame.'),
  })
  .prefault({})
  .describe('Readings over a WebSocket.')
