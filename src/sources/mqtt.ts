import type { MqttSource } from '../core/ports.ts'
import { type BrokerOptions, createBrokerSource } from './mqtt/broker.ts'
import { createExternalSource, type ExternalOptions } from './mqtt/external.ts'

export type { Authenticate, Identity, Reach } from './mqtt/admission.ts'
export { hypervoltMappings, type TopicMapping } from './mqtt/mapping.ts'
export { TopicReader } from './mqtt/reader.ts'

/** MQTT: the broker in this process, or a subscription at an external one. */
export const createMqttSource = (
  options: ({ readonly kind: 'broker' } & BrokerOptions) | ({ readonly kind: 'external' } & ExternalOptions),
): MqttSource => (options.kind === 'broker' ? createBrokerSource(options) : createExternalSource(options))
