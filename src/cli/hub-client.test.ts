import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { announcedImport, createHubClient } from './hub-client.ts'

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

it('announces an import before the first readings of each site, and ends it', async () => {
  const asked: string[] = []
  const url = await serve(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const { sites } = JSON.parse(body || '{}') as { sites?: string[] }
    asked.push(`${request.method} ${request.url}${sites ? ` ${sites.join(' ')}` : ''}`)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(sites ? { id: 'i1' } : { accepted: 1, rejected: [] }))
  })
  const { emit, end } = announcedImport(createHubClient({ url, secret: 's' }), 'home')
  await emit([reading])
  await emit([reading])
  await emit([{ ...reading, site: 'barn' }])
  await end()
  expect(asked).toEqual([
    'POST /api/v1/imports home',
    'POST /api/v1/readings',
    'POST /api/v1/readings',
    'PUT /api/v1/imports/i1 home barn',
    'POST /api/v1/readings',
    'DELETE /api/v1/imports/i1',
  ])
})
