import { afterEach, describe, expect, test } from 'vitest'
import type { Reading } from '../../src/core/reading.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

/** What an operator sees of requests, and what a caller does not see of the hub. */

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ access: true, ...options })
}
/** What the hub is expected to log as an error. */
let wanted: unknown[] = []
afterEach(async () => {
  expect(hub.errors).toEqual(wanted)
  wanted = []
  await hub.close()
})

const requests = () => hub.infos.filter(({ message }) => message === 'Request.').map(({ fields }) => fields)

describe('access lines', () => {
  test('name route, status, time and key, and neither path nor secret', async () => {
    await start()
    const secret = await hub.key('admin')
    await hub.ask({ url: '/api/v1/window?site=home&device=secret-device&metric=x', secret })
    await hub.ask({ method: 'DELETE', url: '/api/v1/keys/some-id', secret })
    await hub.ask({ url: '/api/v1/sites' })
    await hub.ask({ url: '/nowhere/at/all' })
    await expect.poll(() => requests().length).toBe(4)
    const by = secret.split('_')[1]
    const ms = expect.any(Number)
    expect(requests()).toEqual([
      { method: 'GET', route: '/api/v1/window', status: 404, ms, by },
      { method: 'DELETE', route: '/api/v1/keys/:id', status: 404, ms, by },
      { method: 'GET', route: '/api/v1/sites', status: 401, ms },
      { method: 'GET', route: '(none)', status: 404, ms },
    ])
    expect(JSON.stringify(hub.infos)).not.toContain(secret)
  })

  test('are not written for probes and scrapes', async () => {
    await start({ open: true })
    for (const url of ['/livez', '/readyz', '/health', '/metrics']) await hub.ask({ url })
    await hub.ask({ url: '/api/v1/sites' })
    await expect.poll(requests).toEqual([expect.objectContaining({ route: '/api/v1/sites', by: 'local' })])
  })
})

test('/metrics: how long requests took by route, with labels that no caller can make more of', async () => {
  await start({ open: true })
  for (let id = 0; id < 20; id++) {
    await hub.ask({ method: 'DELETE', url: `/api/v1/keys/${id}` })
    await hub.ask({ url: `/nowhere/${id}` })
  }
  const { body } = await hub.ask({ url: '/metrics' })
  const labels = 'method="DELETE",route="/api/v1/keys/:id",status="404"'
  expect(body).toContain(`homeostat_http_request_duration_seconds_count{${labels}} 20`)
  expect(body).toContain(`homeostat_http_request_duration_seconds_bucket{le="+Inf",${labels}} 20`)
  expect(body).toContain('route="(none)",status="404"} 20')
  expect(body.match(/request_duration_seconds_count/g)).toHaveLength(2)
  expect(body).toMatch(/^process_cpu_seconds_total \d/m)
  expect(body).toMatch(/^process_resident_memory_bytes \d/m)
  expect(body).toMatch(/^nodejs_heap_used_bytes \d/m)
})

test.each([
  [
    "SQLITE_ERROR: no such table: readings; insert into readings values ('secret-device')",
    /under [0-9a-f-]{36}\.$/,
  ],
  ['ENOSPC: no space left on device, write /srv/data/readings', /: the disk is full\.$/],
])('what a store says goes to the log and not to the caller: %s', async (said, told) => {
  const memory = createMemoryReadings()
  const readings = {
    ...memory,
    append: (_rows: readonly Reading[]) => Promise.reject(new Error(said)),
  }
  wanted = [expect.stringContaining(said)]
  await start({ open: true, readings })
  const payload = { device: 'lamp', metric: 'power', value: 1 }
  const answer = await hub.ask({ method: 'POST', url: '/api/v1/readings', payload })
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'store_failed'])
  expect(answer.json().detail).toMatch(told)
  expect(answer.body).not.toMatch(/SQLITE|insert|secret-device|srv/)
})
