import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { connectPacket, subscribePacket } from './packets.ts'

/**
 * A WebSocket on the live channel and an MQTT subscriber to everything that never read. `stop` reads what is left and
 * returns what became of the two.
 */
export async function connectStalled(wsUrl: string, mqttPort: number): Promise<{ stop(): Promise<string> }> {
  const webSocket = new WebSocket(wsUrl)
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject))
  const socket = connect({ port: mqttPort, host: '127.0.0.1' })
  await new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.write(connectPacket(`stalled-${process.pid}`))
    socket.once('data', resolve)
  })
  socket.write(subscribePacket('#'))
  const cut = new Set<unknown>()
  for (const client of [webSocket, socket]) {
    client.pause()
    client.on('error', () => undefined)
    client.once('close', () => cut.add(client))
  }
  return {
    async stop() {
      webSocket.resume()
      socket.resume()
      // what was on its way to them comes first
      const end = performance.now() + 3000
      while (cut.size < 2 && performance.now() < end) await sleep(20)
      const named = (client: unknown): string => (cut.has(client) ? 'cut' : 'not cut')
      const fates = `WebSocket ${named(webSocket)}, MQTT ${named(socket)}`
      webSocket.terminate()
      socket.destroy()
      return fates
    },
  }
}
