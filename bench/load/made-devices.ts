import { hourMs } from '../../src/core/time.ts'
import { createRandom } from '../../src/ml/random.ts'
import type { HubProcess } from '../../test/servers/hub.ts'

/** kWh by the hour: a rhythm of the day, and a machine that runs every other day, which no naive forecast knows. */
export function madeHours(device: number, days: number): number[] {
  const random = createRandom(device + 1)
  return Array.from({ length: days * 24 }, (_, hour) => {
    const rhythm = 0.4 + 0.35 * Math.sin(((hour % 24) + device) * (Math.PI / 12))
    const machine = Math.floor(hour / 24) % 2 === device % 2 ? 0.3 : 0
    return Math.max(0, rhythm + machine + 0.04 * random.normal())
  })
}

/** Sends hours of energy that begin at `start`, UTC ms, and waits until they are kept. */
export async function sendHours(
  hub: HubProcess,
  device: string,
  start: number,
  kwh: readonly number[],
): Promise<void> {
  const readings = kwh.map((value, hour) => {
    return { device, metric: 'energy', value, unit: 'kWh', at: start + hour * hourMs }
  })
  await post(hub, 'readings', { readings })
}

/** Items of a list of the API. */
export async function items<Item>(hub: HubProcess, path: string): Promise<Item[]> {
  const answer = await fetch(`${hub.url}/api/v1/${path}`)
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
  // the hub's own reply; a benchmark reads only what it checks
  return ((await answer.json()) as { items: Item[] }).items
}

/** The parsed answer; rejects for any but a 2xx. */
export async function post(hub: HubProcess, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${hub.url}/api/v1/${path}`, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
  return answer.json()
}
