import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { createHubClient } from './hub-client.ts'

const reading = {
  device: 'meter',
  metric: 'power',
  value: 1,
  unit: 'W',
  at: 1_780_000_000_000,
  source: 'csv',
}
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

const cuts: Record<string, RequestListener> = {
  'before it answered': (request) => request.socket.destroy(),
  'within its answer': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{"accepted": 1, ')
    setTimeout(() => response.destroy(), 20)
  },
}

for (const [when, cut] of Object.entries(cuts)) {
  it(`says in a sentence that the hub ended ${when}, and takes nothing as accepted`, async () => {
    const url = await serve(cut)
    const { emit } = createHubClient({ url, secret: 's' })
    await expect(emit([reading])).rejects.toMatchObject({
      code: 'hub_gone',
      message: expect.stringMatching(`^The hub at ${url} stopped answering \\(.+\\)\\. Start it again`),
    })
  })
}

it('waits while the hub is full', async () => {
  let asked = 0
  const url = await serve((request, response) => {
    request.resume()
    asked++
    response.writeHead(asked === 1 ? 503 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(asked === 1 ? { code: 'overloaded' } : { accepted: 1, rejected: [] }))
  })
  expect(await createHubClient({ url, secret: 's' }).emit([reading])).toEqual({ accepted: 1, rejected: [] })
  expect(asked).toBe(2)
})
