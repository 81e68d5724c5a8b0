import type { Health } from '../api/types.ts'

const usualPort = 1883

/**
 * Where MQTT messages go, as the hub's health tells it: its own broker ("broker on 127.0.0.1:1884, 2 clients") on
 * the host of the page, or an external one ("subscribed at mqtt://broker.lan:1883").
 */
export function mqttAddress(sources: Health['sources'], pageHost: string): { host: string; port: number } {
  const detail = sources.find(({ name }) => name.startsWith('mqtt'))?.detail ?? ''
  const external = /mqtts?:\/\/([^\s:/]+)(?::(\d+))?/.exec(detail)
  if (external?.[1]) return { host: external[1], port: Number(external[2] ?? usualPort) }
  const own = /:(\d{2,5})\b/.exec(detail)
  return { host: pageHost, port: own ? Number(own[1]) : usualPort }
}
