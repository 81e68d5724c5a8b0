import { connectAsync, type MqttClient } from 'mqtt'
import { HomeostatError } from '../core/errors.ts'
import type { RawReading } from '../core/reading.ts'
import { Turns } from '../core/turns.ts'
import type { Target } from './simulate-target.ts'

const connectTimeoutMs = 10_000

/**
 * Publishes readings to a broker as HyperVolt sensors do: topic PREFIX/{location}/{sensor_type}, of several homes
 * PREFIX/{site}/{location}/{sensor_type}, JSON payload, QoS 1.
 * A batch is emitted once the broker acknowledged all of it; when the connection breaks, the client connects again
 * and sends again what was not acknowledged. Rejects with `data_invalid` when the broker cannot be reached at first.
 */
export async function mqttTarget(
  url: string,
  prefix: string,
  severalHomes: boolean,
  signal: AbortSignal,
): Promise<Target> {
  const client = await connect(url)
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  // packet identifiers are 16 bit: one batch at a time over the one connection
  const turns = new Turns(1)
  const publish = async (batch: readonly RawReading[]): Promise<void> => {
    const acknowledged = Promise.all(
      batch.map((reading) => {
        const { topic, payload } = messageOf(reading, prefix, severalHomes)
        return client.publishAsync(topic, payload, { qos: 1 })
      }),
    )
    await Promise.race([acknowledged, stopped])
  }
  return {
    name: withoutSecrets(url),
    emitFor: async () => async (batch) => {
      await turns.run(async () => {
        if (!signal.aborted) await publish(batch)
      })
      return { accepted: batch.length, rejected: [] }
    },
    close: async (finished) => {
      // unfinished: what the broker has not acknowledged is not waited for
      await client.endAsync(!finished)
    },
  }
}

/**
 * A reading as HyperVolt sends it. Several homes are sites: their topics have the site before the location, and the
 * payload names it, which is where a hub takes it from.
 */
export function messageOf(
  reading: RawReading,
  prefix: string,
  severalHomes: boolean,
): { topic: string; payload: string } {
  const { site, device, metric, value, unit, room, at } = reading
  const message = {
    sensor_type: metric,
    sensor_id: device,
    value,
    unit,
    location: room,
    timestamp: new Date(Number(at)).toISOString(),
  }
  return severalHomes
    ? { topic: `${prefix}/${site}/${room}/${metric}`, payload: JSON.stringify({ site, ...message }) }
    : { topic: `${prefix}/${room}/${metric}`, payload: JSON.stringify(message) }
}

async function connect(url: string): Promise<MqttClient> {
  try {
    return await connectAsync(url, { protocolVersion: 4, connectTimeout: connectTimeoutMs }, false)
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error)
    const detail = `The broker ${withoutSecrets(url)} cannot be reached: ${why}`
    throw new HomeostatError('data_invalid', { detail }, error)
  }
}

/** The address without user and password. */
const withoutSecrets = (url: string): string => url.replace(/\/\/[^/@]*@/, '//')
