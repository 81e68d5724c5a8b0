import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { createCaller } from './caller.ts'

const call = createCaller()
const never = new AbortController().signal

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

/** A real server on a free loopback port, and its address. */
async function listen(answer: RequestListener): Promise<string> {
  const started = createServer(answer)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`
}

test.each([
  ['POST', '{"A":{"timestamp":"2027-01-01T00:00:00"}}', 'application/json'],
  ['PUT', '{"A":{"timestamp":"2027-01-01T00:00:00"}}', 'application/json'],
  ['GET', '', undefined],
])('%s sends the body %s', async (method, expected, type) => {
  const seen: { request: IncomingMessage; body: string }[] = []
  const url = await listen(async (request, response) => {
    seen.push({ request, body: await text(request) })
    response.end('{"status":"success"}')
  })
  await call(`${url}/api/f?x=1`, method, { A: { timestamp: '2027-01-01T00:00:00' } }, never)
  expect(seen.map(({ request, body }) => [request.method, request.url, body])).toEqual([
    [method, '/api/f?x=1', expected],
  ])
  expect(seen[0]?.request.headers['content-type']).toBe(type)
})

test.each([400, 404, 500])('an answer of %d is a failure', async (status) => {
  const url = await listen((_request, response) => void response.writeHead(status).end())
  await expect(call(url, 'POST', {}, never)).rejects.toThrow(`answered ${status}.`)
})

test('a redirect is not followed', async () => {
  const asked: (string | undefined)[] = []
  const url = await listen((request, response) => {
    asked.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  await expect(call(`${url}/here`, 'POST', {}, never)).rejects.toThrow('answered 302.')
  expect(asked).toEqual(['/here'])
})

test('an answer without end is not read to its end', async () => {
  let sent = 0
  let gone: (() => void) | undefined
  const closed = new Promise<void>((resolve) => {
    gone = resolve
  })
  const url = await listen((_request, response) => {
    const chunk = 'x'.repeat(16_384)
    const more = (): void => {
      sent += chunk.length
      if (response.write(chunk)) setImmediate(more)
      else response.once('drain', more)
    }
    response.on('close', () => gone?.())
    more()
  })
  await call(url, 'POST', {}, never)
  await closed
  expect(sent).toBeLessThan(64 * 1024 * 1024)
})

test('who does not answer is given up after the limit, also in the middle of an answer', async () => {
  const silent = await listen(() => undefined)
  await expect(createCaller(50)(silent, 'POST', {}, never)).rejects.toThrow('did not answer within 0.05 s.')
  server?.closeAllConnections()
  server?.close()
  const halting = await listen((_request, response) => void response.writeHead(200).write('{'))
  await expect(createCaller(50)(halting, 'POST', {}, never)).rejects.toThrow('did not answer within 0.05 s.')
})

test('the signal of the caller ends it with its reason', async () => {
  const stop = new AbortController()
  const url = await listen(() => stop.abort(new Error('The hub stops.')))
  await expect(call(url, 'POST', {}, stop.signal)).rejects.toThrow('The hub stops.')
})

test('who is not there is named, with the reason', async () => {
  const url = await listen(() => undefined)
  await new Promise((resolve) => server?.close(resolve))
  server = undefined
  await expect(call(url, 'POST', {}, never)).rejects.toThrow(
    /127\.0\.0\.1:\d+ could not be called: .*ECONNREFUSED/,
  )
})

test.each(['file:///etc/hostname', 'data:text/plain,x', 'ftp://127.0.0.1/x'])(
  '%s is not called',
  async (url) => {
    await expect(call(url, 'GET', {}, never)).rejects.toThrow('is not http or https.')
  },
)
