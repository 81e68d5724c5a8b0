import { z } from 'zod'
import { isZone } from '../core/calendar.ts'
import { id, port, text } from './kinds.ts'

/** The section `mqtt` of the configuration. */

const zone = text(64).refine(isZone, 'an IANA time zone such as Europe/Athens')

const profileName = z.enum(['zigbee2mqtt', 'tasmota', 'shelly', 'homeassistant', 'esphome'])

const profileSection = z
  .strictObject({
    enabled: z
      .array(profileName)
      .max(5)
      .default(['zigbee2mqtt', 'tasmota', 'shelly', 'homeassistant', 'esphome'])
      .meta({ examples: ['zigbee2mqtt', 'homeassistant'] })
      .describe('Systems whose topics are understood without a mapping; mappings come first.'),
    prefix: z
      .string()
      .max(200)
      .regex(
        /^([^#+{}/]+|\{site\})?(\/([^#+{}/]+|\{site\}))*$/,
        'levels such as homes/{site}, without wildcards',
      )
      .default('')
      .describe("Levels before the topics of profiles; {site} names the site. Empty: the hub's own site."),
    discoveryPrefix: text(100)
      .regex(/^[^#+]*[^#+/]$/, 'a topic without wildcards and without a slash at its end')
      .default('homeassistant')
      .describe('Where devices announce themselves to Home Assistant.'),
  })
  .prefault({})
  .describe('Devices that are read without a mapping.')

const path = text(200)

const mapping = z.strictObject({
  topic: text(500).describe(
    'MQTT topic filter; levels may be {site}, {room}, {device}, {metric}; + and a closing # as in MQTT.',
  ),
  payload: z
    .enum(['json', 'number'])
    .default('json')
    .describe('json: an object; number: the bare value, or a state such as on and off.'),
  fields: z
    .strictObject({
      value: path.optional(),
      device: path.optional(),
      metric: path.optional(),
      unit: path.optional(),
      at: path.optional(),
      room: path.optional(),
      site: path.optional(),
    })
    .optional()
    .describe('Where in the object each part is, dots for depth. What is absent comes from the topic.'),
  defaults: z
    .strictObject({
      site: id.optional(),
      room: id.optional(),
      device: id.optional(),
      metric: id.optional(),
      unit: text(20).optional(),
    })
    .optional()
    .describe('Used where neither payload nor topic has the part.'),
  zone: zone.optional().describe('IANA time zone of times without an offset; default: the zone of the site.'),
  metrics: z
    .record(z.string(), z.strictObject({ metric: id, unit: text(20).optional() }))
    .optional()
    .describe('Several values in one object: its key, then the metric and unit that it stands for.'),
})

export const mqttSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Take readings over MQTT.'),
    host: text(253).default('127.0.0.1').describe('Address that the built-in broker listens on.'),
    port: port(1883).describe('Port of the built-in broker; 0 takes a free one.'),
    url: text(2048)
      .regex(/^(mqtt|mqtts|ws|wss):\/\/./, 'a URL that begins with mqtt://, mqtts://, ws:// or wss://')
      .optional()
      .meta({ secret: true })
      .describe('An external broker to use instead of the built-in one, e.g. mqtt://192.168.1.5:1883.'),
    username: text(200).optional().describe('User name at the external broker.'),
    password: text(1000)
      .optional()
      .meta({ secret: true })
      .describe('Password at the external broker; better kept in .env.local than in this file.'),
    topicPrefix: text(200)
      .regex(/^[^#+]*[^#+/]$/, 'a topic without wildcards and without a slash at its end')
      .default('HyperVolt/sensors')
      .describe('Topics PREFIX/{room}/{metric} are understood without a mapping.'),
    profiles: profileSection,
    retainedWithoutTime: z
      .enum(['leave-out', 'take'])
      .default('leave-out')
      .describe(
        'Retained messages of an external broker without a time of their own: leave-out lists them, take stores them as of now.',
      ),
    listenTo: z
      .array(text(500))
      .max(100)
      .default(['#'])
      .meta({ examples: ['#'] })
      .describe(
        'Filters of an external broker that are listened to for topics that nothing reads; []: none.',
      ),
    mappings: z
      .array(mapping)
      .max(1000)
      .default([])
      .meta({
        examples: [
          {
            topic: 'zigbee2mqtt/{device}',
            payload: 'json',
            metrics: {
              temperature: { metric: 'temperature', unit: 'degC' },
              power: { metric: 'power', unit: 'W' },
            },
          },
        ],
      })
      .describe('Further topics. The first mapping that fits a topic is taken.'),
    refusedSubscriptions: z
      .array(text(1024))
      .max(100)
      .default([])
      .meta({ examples: ['private/#'] })
      .describe('Topic filters of the built-in broker that nobody may subscribe to or hear.'),
  })
  .prefault({})
  .describe('Readings over MQTT.')
