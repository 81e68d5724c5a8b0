import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

/** Bodies that are made to hold up the hub or to fill its memory. */

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ open: true, ...options })
}
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const headers = { 'content-type': 'application/json' }
const mb = 1024 * 1024
const routes = [
  ['POST', '/api/v1/readings'],
  ['POST', '/api/v1/predict'],
  ['POST', '/api/v1/maintenance'],
  ['POST', '/api/info'],
] as const

describe.each(routes)('%s %s', (method, url) => {
  test.each([
    ['[[],[],...]', () => `[${'[],'.repeat(5 * mb)}[]]`, 413],
    ['many objects', () => `[${'{},'.repeat(5 * mb)}{}]`, 413],
    ['many keys', () => `{${'"a":1,'.repeat(mb)}"b":1}`, 413],
    ['one long text', () => `{"a":"${'x'.repeat(12 * mb)}"}`, 413],
    ['depth', () => '['.repeat(10 * mb), 400],
    ['depth in a small body', () => `{"site":${'['.repeat(100)}${']'.repeat(100)}}`, 400],
    ['depth within text and objects', () => `[${'{"a":'.repeat(30_000)}`, 400],
    ['half a character', () => Buffer.from([0x5b, 0x22, 0xc3, 0x22, 0x5d]), 400],
    ['a surrogate in UTF-8', () => Buffer.from([0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d]), 400],
    ['Latin-1', () => Buffer.from('{"device":"K\u00fcche"}', 'latin1'), 400],
  ])('%s is refused', async (_, make, status) => {
    await start()
    const answer = await hub.ask({ method, url, headers, payload: make() })
    expect(answer.statusCode).toBe(status)
    expect(Buffer.byteLength(answer.body)).toBeLessThan(2000)
  })
})

test('bodies that do not end share one budget; who exceeds it is told so, and it is free again afterwards', async () => {
  await start({ limits: { bodiesBytes: 600_000 } })
  const port = await hub.listen()
  const head = 'POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
  const begun = `${head}Content-Length: 400000\r\n\r\n["${'x'.repeat(250_000)}`
  const sockets = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'))
  const answers = sockets.map(
    (socket) =>
      new Promise<string>((resolve) => {
        let said = ''
        socket.on('error', () => undefined)
        socket.on('data', (chunk) => {
          said += chunk
        })
        socket.once('close', () => resolve(said))
        socket.write(begun)
      }),
  )
  expect(await Promise.race(answers)).toContain('bodies_too_large')
  for (const socket of sockets) socket.destroy()
  await Promise.all(answers)
  const payload = JSON.stringify([{ device: 'lamp', metric: 'power', value: 1, pad: 'x'.repeat(500_000) }])
  const push = () => hub.ask({ method: 'POST', url: '/api/v1/readings', headers, payload })
  await expect.poll(async () => (await push()).statusCode).toBe(200)
})

test('a client that goes away within its body is no fault of the hub', async () => {
  await start()
  const port = await hub.listen()
  const socket = connect(port, '127.0.0.1')
  const head = 'POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
  await new Promise((resolve) => socket.write(`${head}Content-Length: 1000\r\n\r\n[{"device"`, resolve))
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
  expect((await hub.ask({ url: '/livez' })).statusCode).toBe(200)
})

test.each([
  ['GET', '/api/v1/latest?site='],
  ['GET', '/api/v1/readings?device='],
  ['GET', '/api/v1/devices?device='],
  ['GET', '/api/v1/window?site=&device=a&metric=b'],
  ['POST', '/api/v1/train?site='],
] as const)('%s %s: an empty id is told so', async (method, url) => {
  await start()
  const answer = await hub.ask({ method, url })
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'id_invalid'])
})

test.each(['site', 'device', 'metric'])('an empty %s in a body is told so', async (field) => {
  await start()
  const body = { site: 'home', device: 'a', metric: 'energy', rows: [{ x: 1 }], [field]: '' }
  const answer = await hub.ask({ method: 'POST', url: '/api/v1/predict', payload: body })
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'id_invalid'])
})
