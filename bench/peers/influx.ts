import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningServer, startInflux } from '../../test/servers.ts'

/** InfluxDB 1.6.7 of Debian, with an empty database. */
export interface Influx extends RunningServer {
  readonly database: string
  /** Points in the measurement `reading`. */
  count(): Promise<number>
  /** Resolves with the moment (UTC ms) when that many points are there; rejects when it stays below for 30 s. */
  untilCount(points: number): Promise<number>
}

export async function startInfluxPeer(database = 'bench'): Promise<Influx> {
  const server = await startInflux()
  const query = async (text: string): Promise<unknown> => {
    const body = new URLSearchParams({ q: text })
    const answer = await fetch(`${server.url}/query?db=${database}`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`InfluxDB: ${await answer.text()}`)
    return answer.json()
  }
  const count = async (): Promise<number> => {
    const text = JSON.stringify(await query('SELECT count(value) FROM reading'))
    return Number(/"values":\[\["[^"]*",(\d+)\]\]/.exec(text)?.[1] ?? 0)
  }
  const untilCount = async (points: number): Promise<number> => {
    let [seen, changed] = [0, performance.now()]
    for (;;) {
      const now = await count()
      const moment = performance.timeOrigin + performance.now()
      if (now >= points) return moment
      if (now > seen) [seen, changed] = [now, performance.now()]
      if (performance.now() - changed > 30_000)
        throw new Error(`InfluxDB stays at ${now} of ${points} points`)
      await sleep(50)
    }
  }
  try {
    await query(`CREATE DATABASE ${database}`)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { ...server, database, count, untilCount }
}
