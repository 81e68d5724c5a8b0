import type { Health } from '../api/types.ts'

const usualPort = 1883

/** The port of the hub's MQTT broker as its health tells it ("127.0.0.1:1884"), else the usual one. */
export function mqttPort(sources: Health['sources']): number {
  const mqtt = sources.find((source) => source.name.startsWith('mqtt'))
  const found = /:(\d{2,5})\b/.exec(mqtt?.detail ?? '')
  return found ? Number(found[1]) : usualPort
}
