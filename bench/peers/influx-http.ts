import { runLoad } from '../load/run.ts'
import { type LoadResult, layoutOn } from '../load/spec.ts'
import type { Influx } from './influx.ts'

/** Line protocol over kept-alive connections; every point is new. Rejects when a request is refused. */
export async function influxHttp(
  influx: Influx,
  load: { readonly batch: number; readonly connections: number; readonly requests: number },
): Promise<LoadResult> {
  const perConnection = Math.floor(load.requests / load.connections) * load.batch
  const devices = Math.max(1, Math.floor(1000 / load.connections))
  const result = await runLoad({
    kind: 'http',
    port: influx.port,
    path: `/write?db=${influx.database}&precision=ms`,
    format: 'line',
    headers: {},
    maxSeconds: 60,
    ...layoutOn(perConnection, 'h-', devices),
    ...load,
  })
  if (result.acknowledged < result.sent) throw new Error(`InfluxDB refused: ${result.complaint}`)
  return result
}
