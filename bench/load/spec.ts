/**
 * What a load generator is told and what it answers. Which reading comes at which place is computed, not drawn,
 * so that a test can say exactly what must be found in the store (`messageOf`).
 */

/** Common to every kind. Reading k of a client carries the time baseAt + k: no two readings are the same. */
export interface Layout {
  /** Start of the device names; the client's number and the device's number follow: c0-17. */
  readonly prefix: string
  /** Devices of one client; readings go round them. */
  readonly devices: number
  /** Time of a client's first reading, UTC ms. */
  readonly baseAt: number
  /** Readings of one client that are encoded before the clock starts; then their times are written over. */
  readonly prepared: number
}

interface Common extends Layout {
  readonly port: number
  /** File to which each acknowledged reading is written as "client k" at once, with fs.writeSync. */
  readonly ackLog?: string
  /** The load ends itself after this time, whatever the server does. */
  readonly maxSeconds: number
}

export interface MqttLoad extends Common {
  readonly kind: 'mqtt'
  readonly clients: number
  readonly qos: 0 | 1
  /** Messages of all clients together. */
  readonly count: number
  /** Messages of one client on their way at most (QoS 1). */
  readonly window: number
  /** Every n-th message is malformed; 0 for none. */
  readonly badEvery: number
  /** Messages of all clients together, a second; absent: as many as the windows let through. */
  readonly perSecond?: number
}

export interface HttpLoad extends Common {
  readonly kind: 'http'
  /** Kept-alive connections; each waits for an answer before it asks again. */
  readonly connections: number
  /** Requests of all connections together. */
  readonly requests: number
  /** Readings in a request. */
  readonly batch: number
  /** `json` as POST /api/v1/readings takes it, `line` as InfluxDB's /write takes it with precision=ms. */
  readonly format: 'json' | 'line'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Publishes at a steady rate over one MQTT connection and times the same readings where they come out. */
export interface LatencyLoad extends Common {
  readonly kind: 'latency'
  /** WebSocket that sends HyperVolt frames; absent: a subscription at the same broker, as a plain one has nothing else. */
  readonly wsUrl?: string
  readonly perSecond: number
  readonly seconds: number
}

/** Asks over HTTP at a steady rate, and looks at the answers where it is known what they must be. */
export interface SteadyLoad {
  readonly kind: 'steady'
  readonly port: number
  readonly path: string
  readonly perSecond: number
  readonly seconds: number
  /** The load ends itself after this time, whatever the server does. */
  readonly maxSeconds: number
  /** Requests on their way at the same time, at most. */
  readonly connections: number
  /** JSON, sent in turn. */
  readonly bodies: readonly string[]
  /** What each version of a model predicts for each body. */
  readonly expected?: Readonly<Record<string, readonly (readonly number[])[]>>
}

/** Publishes at QoS 1 at a steady rate over one connection, however long the acknowledgements take. */
export interface SteadyMqttLoad extends Common {
  readonly kind: 'steady-mqtt'
  readonly perSecond: number
  readonly seconds: number
}

/**
 * Publishes at QoS 1 readings that cross the limit of a rule, among others on the same connection, and times each until
 * its alert arrives on a WebSocket and at an MQTT subscriber.
 */
export interface ReactLoad extends Common {
  readonly kind: 'react'
  /** The live channel of the hub. */
  readonly wsUrl: string
  readonly alertTopic: string
  /** A series of its own; every reading of it raises or ends an alert. */
  readonly probe: {
    readonly device: string
    readonly metric: string
    readonly low: number
    readonly high: number
    readonly unit: string
  }
  readonly alerts: number
  readonly alertsPerSecond: number
  /** Other readings a second on the connection of the publisher. */
  readonly perSecond: number
}

/** How long alerts took on one way out. */
export interface AlertTimes {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Alerts that never arrived, or more than once. */
  readonly missed: number
  readonly repeated: number
}

export type LoadSpec = MqttLoad | HttpLoad | LatencyLoad | SteadyLoad | SteadyMqttLoad | ReactLoad

export interface LoadResult {
  /** Readings: written to the socket, and acknowledged by the server (QoS 0: equal to sent). Steady: right answers. */
  readonly sent: number
  readonly acknowledged: number
  /** From the first byte sent to the last acknowledgement. */
  readonly seconds: number
  /** Acknowledged readings a second. */
  readonly rate: number
  /** Moment of the first byte, UTC ms. */
  readonly startedAt: number
  /** From request to answer (http), from its due moment to the answer (both steady), or publish to frame (latency). */
  readonly p50Ms: number
  readonly p99Ms: number
  /** HTTP answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** The start of the first answer that was not 2xx, or the socket's error. */
  readonly complaint: string
  /** Processor time that the generator itself took in these seconds: it shares the machine with the server. */
  readonly cpuSeconds: number
  /** True when the server closed or the time was up before all was acknowledged. */
  readonly cut: boolean
  /** Answers by the version of the model that gave them (steady). */
  readonly byVersion?: Readonly<Record<string, number>>
  /** How long alerts took (react). */
  readonly alerts?: { readonly webSocket: AlertTimes; readonly mqtt: AlertTimes }
}

export interface Message {
  readonly device: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly room: string
  readonly at: number
}

const rooms = ['kitchen', 'living_room', 'bedroom', 'bathroom', 'office', 'hall']
const metrics = [
  { metric: 'temperature', unit: 'degC' },
  { metric: 'humidity', unit: '%' },
  { metric: 'power', unit: 'W' },
  { metric: 'light', unit: 'lx' },
] as const

/** Reading k of a client. */
export function messageOf(layout: Layout, client: number, k: number): Message {
  const slot = k % layout.prepared
  const number = slot % layout.devices
  const { metric, unit } = metrics[number % metrics.length]!
  return {
    device: `${layout.prefix}${client}-${number}`,
    metric,
    value: (1500 + ((slot * 7) % 1000)) / 100,
    unit,
    room: rooms[number % rooms.length]!,
    at: layout.baseAt + k,
  }
}

/** Defaults that the benchmarks share: 1,000 devices over 4 clients, times that end a minute before now. */
export function layoutFor(readingsPerClient: number, prefix: string, devices = 250): Layout {
  return {
    prefix,
    devices,
    baseAt: Date.now() - 60_000 - readingsPerClient,
    prepared: Math.min(5000, readingsPerClient),
  }
}

const cursors = new Map<string, number>()

/** Like `layoutFor`, but the devices of this prefix go on where their last load in this process ended, as in a home. */
export function layoutOn(readingsPerClient: number, prefix: string, devices = 250): Layout {
  const baseAt = cursors.get(prefix) ?? Date.now() - 3 * 86_400_000
  cursors.set(prefix, baseAt + readingsPerClient)
  return { ...layoutFor(readingsPerClient, prefix, devices), baseAt }
}
