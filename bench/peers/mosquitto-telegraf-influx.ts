import { setTimeout as sleep } from 'node:timers/promises'
import { startMosquitto } from '../../test/servers.ts'
import { cpuSecondsOf } from '../load/cpu.ts'
import { runLoad } from '../load/run.ts'
import { layoutOn, type MqttLoad } from '../load/spec.ts'
import { type Influx, startInfluxPeer } from './influx.ts'
import { startTelegraf, telegrafOrReason } from './telegraf.ts'

/** The chain that people glue together. */
export interface Chain {
  readonly influx: Influx
  /** Sends `count` messages with QoS 1 over 4 clients and waits until InfluxDB counts them all. */
  measure(count: number, window: number): Promise<Measured>
  stop(): Promise<void>
}

/** Messages a second until stored, and until the broker had acknowledged them; processor time of the three a message. */
export interface Measured {
  readonly stored: number
  readonly acknowledged: number
  readonly cpuUs: number
}

/** Returns why it is missing where Telegraf cannot be built. */
export async function startChain(): Promise<Chain | { readonly reason: string }> {
  const telegraf = await telegrafOrReason()
  if ('reason' in telegraf) return telegraf
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const one of stops.reverse()) await one()
  }
  try {
    const influx = await startInfluxPeer()
    stops.push(influx.stop)
    const broker = await startMosquitto()
    stops.push(broker.stop)
    const bridge = await startTelegraf(telegraf.binary, broker.port, influx.url, influx.database)
    stops.push(bridge.stop)
    const pids = [influx.pid, broker.pid, bridge.pid]
    const chain: Chain = {
      influx,
      stop,
      measure: async (count, window) => {
        const cpu = cpuSecondsOf(pids)
        const rates = await measure(broker.port, influx, count, window)
        return { ...rates, cpuUs: ((cpuSecondsOf(pids) - cpu) / count) * 1e6 }
      },
    }
    await subscribed(broker.port, influx)
    return chain
  } catch (error) {
    await stop()
    throw error
  }
}

async function measure(
  port: number,
  influx: Influx,
  count: number,
  window: number,
): Promise<{ stored: number; acknowledged: number }> {
  const before = await influx.count()
  const result = await runLoad(load(port, count, window, 'm-'))
  if (result.cut) throw new Error(`Mosquitto: ${result.complaint}`)
  const storedAt = await influx.untilCount(before + count)
  return { stored: (count / (storedAt - result.startedAt)) * 1000, acknowledged: result.rate }
}

/** Sends single messages until one arrives: Telegraf has then subscribed. */
async function subscribed(port: number, influx: Influx): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await runLoad({ ...load(port, 1, 1, 'first-'), clients: 1 })
    await sleep(1500)
    if ((await influx.count()) > 0) return
  }
  throw new Error('Telegraf stores nothing')
}

const load = (port: number, count: number, window: number, prefix: string): MqttLoad => ({
  kind: 'mqtt',
  clients: 4,
  qos: 1,
  badEvery: 0,
  maxSeconds: 60,
  port,
  count,
  window,
  ...layoutOn(Math.max(1, count / 4), prefix),
})
