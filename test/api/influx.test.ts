import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { influxCodeOf } from '../../src/contract/influx.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { createGatedReadings } from './gate.ts'

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ open: true, ...options })
}
/** A test that fails with its gate shut must not keep the hub from closing. */
const gates: { open(): void }[] = []
const openedAtEnd = <Gate extends { open(): void }>(gate: Gate): Gate => {
  gates.push(gate)
  return gate
}
afterEach(async () => {
  for (const gate of gates.splice(0)) gate.open()
  expect(hub.errors).toEqual([])
  await hub.close()
})

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly secret?: string
}

const post = (url: string, payload: string | Buffer, { headers, secret }: Sent = {}) =>
  hub.ask({
    ...{ method: 'POST', url, payload, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } },
    ...(secret === undefined ? {} : { secret }),
  })

const at = Date.parse('2026-03-02T12:00:00Z')
const line = (device: string, value: number | string, site = ''): string =>
  `power,device=${device}${site && `,site=${site}`},unit=W value=${value} ${at}`
const stored = async (): Promise<string[]> =>
  (await hub.engine.readings({}, 1000)).map(({ site, device, value }) => `${site}/${device} ${value}`)

const bothV1 = ['/write?db=home&precision=ms', '/influx/write?db=home&precision=ms']
const bothV2 = ['/api/v2/write', '/influx/api/v2/write'].map(
  (path) => `${path}?org=o&bucket=home&precision=ms`,
)

describe('InfluxDB writes', () => {
  test.each([...bothV1, ...bothV2])('%s: 204 without a body once the points are stored', async (url) => {
    const gate = openedAtEnd(createGatedReadings())
    await start({ readings: gate.readings })
    gate.shut()
    let answered = false
    const answer = post(url, `${line('a', 1)}\n${line('b', 2)}\n`).then((got) => {
      answered = true
      return got
    })
    await expect.poll(() => hub.engine.latest().length).toBe(2)
    expect(answered).toBe(false)
    gate.open()
    expect([(await answer).statusCode, (await answer).body]).toEqual([204, ''])
    expect(await stored()).toEqual(['home/a 1', 'home/b 2'])
  })

  test.each([
    ['an unknown type', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON as its type', { 'content-type': 'application/json' }],
    ['gzip', { 'content-encoding': 'gzip' }],
    ['gzip in capitals', { 'content-encoding': 'GZIP' }],
    ['identity', { 'content-encoding': 'identity' }],
  ])('writes: take a body with %s', async (_name, headers) => {
    await start()
    const isPacked = JSON.stringify(headers).toLowerCase().includes('gzip')
    const text = line('a', 1)
    expect((await post('/write', isPacked ? gzipSync(text) : text, { headers })).statusCode).toBe(400)
    // without its precision the time lies in 1970
    expect((await post(bothV1[0]!, isPacked ? gzipSync(text) : text, { headers })).statusCode).toBe(204)
    expect(await stored()).toEqual(['home/a 1'])
  })

  test.each(['/write', '/api/v2/write'])(
    '%s: an empty body is taken, as clients send it to try',
    async (url) => {
      await start()
      for (const payload of ['', '\n', '# nothing\n']) expect((await post(url, payload)).statusCode).toBe(204)
      expect((await hub.ask({ method: 'POST', url })).statusCode).toBe(204)
    },
  )

  test('writes: a partial write names bad lines in the form of its version, and stores the others', async () => {
    await start()
    const text = [
      line('a', 1),
      'power value=',
      line('b', 2),
      line('c', 3).replace(String(at), '4102444800000'),
      'x y="',
    ].join('\n')
    const v1 = await post(bothV1[0]!, text)
    expect(v1.statusCode).toBe(400)
    const { error } = v1.json()
    expect(error).toMatch(/^partial write: unable to parse 'power value=' \(line 2\): missing field value\n/)
    expect(error).toContain(`unable to store "power" of "c" (line 4): The time `)
    expect(error).toMatch(/unable to parse 'x y="' \(line 5\): unbalanced quotes dropped=3$/)
    const v2 = await post(bothV2[0]!, text)
    expect([v2.statusCode, v2.json()]).toEqual([400, { code: 'invalid', message: error, line: 2 }])
    expect(await stored()).toEqual(['home/a 1', 'home/b 2'])
    const quarantine = (await hub.ask({ url: '/api/v1/quarantine' })).json().items
    expect(quarantine.map(({ code }: { code: string }) => code)).toContain('line_invalid')
    expect(quarantine[0].source).toBe('influx')
  })

  test('writes: a body without a good line is no partial write, and of many bad lines the first are named', async () => {
    await start()
    expect((await post('/write', 'bad')).json()).toEqual({
      error: "unable to parse 'bad' (line 1): missing fields",
    })
    const { error } = (await post('/write', 'bad\n'.repeat(250))).json()
    expect(error.split('\n')).toHaveLength(101)
    expect(error).toMatch(/and 150 more$/)
  })

  test('writes: text is left out, told in a header, and listed', async () => {
    await start()
    const answer = await post('/write?db=home', 'fan,device=x speed=2,mode="auto",note="x"')
    expect([answer.statusCode, answer.headers['x-homeostat-left-out']]).toEqual([204, '2'])
    const listed = (await hub.ask({ url: '/api/v1/influx?limit=1' })).json()
    expect(listed.items).toEqual([
      { kind: 'text', site: 'home', measurement: 'fan', field: 'mode', count: 1 },
    ])
    const next = (await hub.ask({ url: `/api/v1/influx?limit=1&cursor=${listed.next}` })).json()
    expect(next).toMatchObject({ items: [{ field: 'note' }], next: null })
  })

  test('writes: refuse a precision, a packing and a body that they do not know', async () => {
    await start({ limits: { bodyBytes: 100_000 } })
    for (const [url, payload, headers, status] of [
      ['/write?precision=d', '', {}, 400],
      ['/write?precision=&db=x', line('a', 1), {}, 400],
      ['/write', line('a', 1), { 'content-encoding': 'br' }, 400],
      ['/write', line('a', 1), { 'content-encoding': 'gzip' }, 400],
      ['/write', 'x'.repeat(100_001), {}, 413],
      ['/write', gzipSync('x'.repeat(100_001)), { 'content-encoding': 'gzip' }, 413],
    ] as const) {
      const v1 = await post(url, payload, { headers })
      expect([url, v1.statusCode, Object.keys(v1.json())]).toEqual([url, status, ['error']])
      const v2 = await post(`/api/v2${url}`, payload, { headers })
      expect([v2.statusCode, v2.json()]).toEqual([
        status,
        { code: influxCodeOf(status), message: v1.json().error },
      ])
    }
    expect(await stored()).toEqual([])
  })

  test('writes: a body of more readings than one request of JSON may have is stored in parts', async () => {
    await start({ limits: { batchReadings: 100 } })
    const rows = Array.from(
      { length: 1050 },
      (_, index) => `m,device=d${index % 7} a=${index},b=1 ${at + index}`,
    )
    rows[500] = 'bad'
    const answer = await post(bothV1[0]!, rows.join('\n'))
    expect(answer.json().error).toMatch(/^partial write: .*\(line 501\).* dropped=1$/)
    expect(hub.engine.counters.readingsStored).toBe(2098)
  })

  test('writes: tell clients to come again while the inbox is full', async () => {
    const gate = openedAtEnd(createGatedReadings())
    await start({ readings: gate.readings, limits: { inboxReadings: 2 }, engine: { turnReadings: 2 } })
    gate.shut()
    const first = post(bothV1[0]!, `${line('a', 1)}\n${line('b', 2)}`)
    await expect.poll(() => hub.engine.isFull('push')).toBe(true)
    const refused = await post(bothV2[0]!, line('c', 3))
    expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([
      503,
      'unavailable',
      '1',
    ])
    gate.open()
    expect((await first).statusCode).toBe(204)
  })

  test('writes: a store that fails is told with 503, so that the client keeps its points', async () => {
    const memory = createMemoryReadings()
    const append = () => Promise.reject(new Error('no disk'))
    hub = await startTestHub({ open: true, readings: { ...memory, append } })
    const answer = await post(bothV1[0]!, line('a', 1))
    // what the store said goes to the log
    expect([answer.statusCode, answer.json().error]).toEqual([503, expect.stringContaining('the log names')])
    expect(hub.errors.join()).toContain('no disk')
    await hub.close()
    await start()
  })
})

describe('who may write over InfluxDB', () => {
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

  test.each(['/write', '/api/v2/write', '/influx/write'])(
    '%s: a key comes in any of the forms of InfluxDB',
    async (path) => {
      await start({ open: false })
      const secret = await hub.key('operator')
      const url = `${path}?precision=ms`
      for (const authorization of [
        `Token ${secret}`,
        `token any:${secret}`,
        basic('any', secret),
        `Bearer ${secret}`,
      ])
        expect([
          authorization,
          (await post(url, line('a', 1), { headers: { authorization } })).statusCode,
        ]).toEqual([authorization, 204])
      expect((await post(`${url}&u=any&p=${secret}`, line('a', 1))).statusCode).toBe(204)
      for (const authorization of ['Token x', basic('root', 'root'), basic('', ''), 'Digest x', 'Token '])
        expect((await post(url, line('a', 1), { headers: { authorization } })).statusCode).toBe(401)
      expect((await post(url, line('a', 1))).statusCode).toBe(401)
      expect((await post(`${url}&p=x`, line('a', 1))).statusCode).toBe(401)
    },
  )

  test('the other routes take no key as a Basic password or parameter', async () => {
    await start({ open: false })
    const secret = await hub.key('admin')
    const headers = { authorization: basic('any', secret) }
    expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(401)
    expect((await hub.ask({ url: `/api/v1/sites?p=${secret}` })).statusCode).toBe(401)
  })

  test('writes: a viewer may not; a key of one site stores there and nowhere else', async () => {
    await start({ open: false })
    const viewer = await post(bothV1[0]!, line('a', 1), { secret: await hub.key('viewer') })
    expect([viewer.statusCode, Object.keys(viewer.json())]).toEqual([403, ['error']])
    const secret = await hub.key('operator', ['cabin'])
    const text = `${line('a', 1)}\n${line('b', 2, 'home')}\n${line('c', 3, 'cabin')}`
    const answer = await post('/api/v2/write?bucket=cabin&precision=ms', text, { secret })
    expect(answer.json().message).toMatch(
      /^partial write: .*"b" \(line 2\): The key does not reach the site "home"/,
    )
    expect(await stored()).toEqual(['cabin/a 1', 'cabin/c 3'])
    expect((await post(bothV1[0]!, line('d', 4), { secret })).statusCode).toBe(400)
  })

  test('an open hub takes the user and password that a client cannot leave away, and obeys a key', async () => {
    await start()
    const send = (authorization: string) => post(bothV1[0]!, line('a', 1), { headers: { authorization } })
    expect((await send(basic('root', 'root'))).statusCode).toBe(204)
    expect((await send('Token my-token')).statusCode).toBe(204)
    expect((await send(`Token ${await hub.key('viewer')}`)).statusCode).toBe(403)
    expect((await send('Token hs_000000000000_x')).statusCode).toBe(401)
    const evil = { origin: 'https://evil.example' }
    expect((await post(bothV1[0]!, line('a', 1), { headers: evil })).statusCode).toBe(403)
  })
})

describe('what clients of InfluxDB ask before they write', () => {
  test.each(['/ping', '/influx/ping'])('%s answers 204 to everybody', async (url) => {
    await start({ open: false })
    for (const method of ['GET', 'HEAD'] as const) {
      const { statusCode, headers, body } = await hub.ask({ method, url })
      expect([statusCode, body, headers['x-influxdb-version']]).toEqual([204, '', '1.8.10'])
    }
  })

  test('queries: databases and buckets are the sites of the key', async () => {
    await start({ open: false })
    await hub.push([{ site: 'cabin', device: 'x', metric: 'power', value: 1 }])
    const all = await hub.key('viewer')
    const one = await hub.key('viewer', ['cabin'])
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const [secret, names] of [
      [all, ['home', 'cabin']],
      [one, ['cabin']],
    ] as const) {
      const shown = await hub.ask({ url: '/query?q=SHOW%20DATABASES%3B', secret })
      const values = names.map((name) => [name])
      expect(shown.json()).toEqual({
        results: [{ statement_id: 0, series: [{ name: 'databases', columns: ['name'], values }] }],
      })
      const posted = await post('/influx/query', 'q=show+databases', { headers: form, secret })
      expect(posted.json()).toEqual(shown.json())
      const { buckets } = (await hub.ask({ url: '/api/v2/buckets', secret })).json()
      expect(buckets.map(({ name }: { name: string }) => name)).toEqual(names)
      const flux = await post('/api/v2/query?org=o', '{"query":"buckets()","type":"flux"}', { secret })
      expect(flux.headers['content-type']).toContain('text/csv')
      const rows = flux.body.split('\r\n').filter((row) => row.startsWith(',,0,'))
      expect(rows.map((row) => row.split(',')[3])).toEqual(names)
    }
    expect((await hub.ask({ url: '/query?q=SHOW%20DATABASES' })).statusCode).toBe(401)
  })

  test('queries: a database is made with its first reading; other queries are refused in words', async () => {
    await start()
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const made = await post('/query', 'q=CREATE+DATABASE+%22cabin%22', { headers: form })
    expect([made.statusCode, made.json()]).toEqual([200, { results: [{ statement_id: 0 }] }])
    const refused = await hub.ask({ url: '/query?q=SELECT%201' })
    expect([refused.statusCode, refused.json().error]).toEqual([
      400,
      expect.stringContaining('SHOW DATABASES'),
    ])
    const flux = await post('/api/v2/query', 'from(bucket: "home")')
    expect([flux.statusCode, flux.json().code]).toEqual([400, 'invalid'])
  })

  test('health and ready are below /influx in the form of InfluxDB 2', async () => {
    await start({ open: false })
    expect((await hub.ask({ url: '/influx/health' })).json()).toMatchObject({
      name: 'influxdb',
      status: 'pass',
    })
    expect((await hub.ask({ url: '/api/v2/ready' })).json()).toMatchObject({ status: 'ready' })
  })
})
