import { connect } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CsvAnswers, type CsvLimits, prefersCsv } from '../../src/api/csv.ts'
import { onError } from '../../src/api/errors.ts'
import type { CsvForm } from '../../src/contract/csv.ts'
import { HomeostatError } from '../../src/core/errors.ts'
import { hourMs, minuteMs } from '../../src/core/time.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { startTwoSites } from './two-sites.ts'

/** Lists as CSV. */

const start = Date.parse('2026-03-02T12:00:00Z')
const accept = 'text/csv'
const linesOf = (text: string): string[] => text.trimEnd().split('\n')

test.each([
  [undefined, false],
  ['*/*', false],
  ['text/csv', true],
  ['Text/CSV; header=present', true],
  ['text/csv, application/json', true],
  ['application/json, text/csv', false],
  ['application/json;q=0.5, text/csv', true],
  ['text/csv;q=0.5, application/json', false],
  ['text/csv;q=0', false],
  ['text/csv;q=oops', false],
])('prefersCsv: %s', (header, expected) => {
  expect(prefersCsv(header)).toBe(expected)
})

describe('readings as CSV', () => {
  let hub: TestHub
  const clock = new VirtualClock(start)
  const count = 25_000
  beforeAll(async () => {
    hub = await startTestHub({ clock })
    await hub.push([
      { device: '=SUM(A1)', metric: 'power', value: -5, at: start - 2 },
      { device: 'a,b', metric: 'co2', value: 900.5, at: start - 1, room: 'living "room"' },
    ])
    for (let from = 0; from < count; from += 5000)
      await hub.push(
        Array.from({ length: 5000 }, (_, index) => ({
          device: 'clock',
          metric: 'temperature',
          value: (from + index) / 8,
          at: start - hourMs + (from + index) * 100,
        })),
      )
  })
  afterAll(() => hub.close())
  const ask = async (url: string, headers = { accept }) =>
    hub.ask({ url: `/api/v1/readings${url}`, headers, secret: await hub.key('viewer') })

  test('csv: has a header, times in ISO 8601, quoted and guarded texts, and bare numbers', async () => {
    const answer = await ask(`?from=${start - 2}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      vary: expect.stringContaining('accept'),
    })
    expect(answer.body).toBe(
      [
        'at,site,device,metric,value,unit,room',
        "2026-03-02T11:59:59.998Z,home,'=SUM(A1),power,-5,W,",
        '2026-03-02T11:59:59.999Z,home,"a,b",co2,900.5,ppm,"living ""room"""',
        '',
      ].join('\n'),
    )
  })

  test('csv: without a limit it is the whole list, over more pages than one', async () => {
    const answer = await ask('?device=clock')
    const lines = linesOf(answer.body)
    expect(lines).toHaveLength(count + 1)
    expect(lines[count]).toBe('2026-03-02T11:41:39.900Z,home,clock,temperature,3124.875,degC,')
    expect(new Set(lines).size).toBe(count + 1)
    expect(answer.headers['link']).toBeUndefined()
  })

  test('csv: with a limit it is one page, and Link names the next', async () => {
    const first = await ask('?device=clock&limit=10000')
    expect(linesOf(first.body)).toHaveLength(10_001)
    const seen = linesOf(first.body).slice(1)
    let link = String(first.headers['link'] ?? '')
    while (link !== '') {
      const [, path = ''] = /^<\/api\/v1\/readings(.*)>; rel="next"$/.exec(link) ?? []
      const page = await ask(path)
      seen.push(...linesOf(page.body).slice(1))
      link = String(page.headers['link'] ?? '')
    }
    expect(new Set(seen).size).toBe(count)
    expect(seen).toHaveLength(count)
  })

  test('csv: what is wrong is answered as problem+json, and a client that wants JSON gets it', async () => {
    const bad = await ask('?from=nonsense')
    expect([bad.statusCode, bad.json().code]).toEqual([400, 'request_invalid'])
    const json = await ask('?limit=1', { accept: 'application/json' })
    expect(json.json().items).toHaveLength(1)
    expect(json.headers['vary']).toContain('accept')
  })
})

describe('an answer in CSV', () => {
  const form: CsvForm = {
    columns: [{ name: 'value', kind: 'number' }],
    pageItems: 1,
    rows: () => Array.from({ length: 20_000 }, (_, index) => [index]),
  }
  const page = { items: [], next: 'more' }
  const pending = () => {
    let resolve: (page: unknown) => void = () => undefined
    const promise = new Promise<unknown>((settle) => {
      resolve = settle
    })
    return { promise, resolve }
  }
  let server: FastifyInstance
  let ask: (cursor: unknown) => Promise<unknown>
  let url: string
  const start = async (limits: CsvLimits) => {
    const answers = new CsvAnswers(limits)
    server = fastify()
    server.setErrorHandler(onError({ info: () => undefined, warn: () => undefined, error: () => undefined }))
    server.get('/list', (request, reply) =>
      answers.answer({ form, query: {}, ask: ({ cursor }) => ask(cursor) }, request, reply),
    )
    url = `${await server.listen({ port: 0, host: '127.0.0.1' })}/list`
  }
  afterEach(async () => {
    // otherwise connections that fetch keeps alive hold it for a minute
    server.server.closeAllConnections()
    await server.close()
  })

  test('csv: above the limit of answers is refused, until one of them ended or its client went away', async () => {
    await start({ exports: 1, exportIdleMs: 60_000 })
    const more = pending()
    ask = async (cursor) => (cursor === undefined ? page : more.promise)
    const held = await fetch(url)
    const second = await fetch(url)
    expect([second.status, await second.json()]).toMatchObject([503, { code: 'exports_full' }])
    expect(second.headers.get('retry-after')).toBe('1')
    more.resolve({ items: [], next: null })
    expect(linesOf(await held.text())).toHaveLength(40_001)

    const never = pending()
    ask = async (cursor) => (cursor === undefined ? page : never.promise)
    const stop = new AbortController()
    const gone = await fetch(url, { signal: stop.signal })
    stop.abort()
    await gone.text().catch(() => undefined)
    never.resolve({ items: [], next: null })
    ask = async () => ({ items: [], next: null })
    await expect.poll(async () => (await fetch(url)).status).toBe(200)
  })

  test('csv: breaks off where a later page fails, so that no client takes a part for the whole', async () => {
    await start({ exports: 1, exportIdleMs: 60_000 })
    ask = async (cursor) => {
      if (cursor === undefined) return page
      throw new HomeostatError('stopping')
    }
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    ask = async () => ({ items: [], next: null })
    await expect.poll(async () => (await fetch(url)).status).toBe(200)
  })

  test('csv: where the first page fails, the answer is its error', async () => {
    await start({ exports: 1, exportIdleMs: 60_000 })
    ask = async () => {
      throw new HomeostatError('not_found', { what: 'series' })
    }
    for (let time = 0; time < 2; time++) expect((await fetch(url)).status).toBe(404)
  })

  test('csv: cuts a client that takes nothing', async () => {
    await start({ exports: 1, exportIdleMs: 50 })
    let pages = 0
    ask = async () => {
      pages++
      return page
    }
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.pause()
    socket.write('GET /list HTTP/1.1\r\nHost: hub\r\n\r\n')
    await new Promise((resolve) =>
      server.server.once('connection', (client) => client.once('close', resolve)),
    )
    const read = pages
    ask = async () => ({ items: [], next: null })
    await expect.poll(async () => (await fetch(url)).status).toBe(200)
    expect(read).toBeGreaterThan(1)
    expect(pages).toBe(read)
    socket.destroy()
  })
})

describe('other lists as CSV', () => {
  test('csv: a key sees its own site only', async () => {
    const hub = await startTwoSites()
    const secret = await hub.key('viewer', ['alpha'])
    const answer = await hub.ask({ url: '/api/v1/readings', headers: { accept }, secret })
    const sites = linesOf(answer.body)
      .slice(1)
      .map((line) => line.split(',')[1])
    expect([...new Set(sites)]).toEqual(['alpha'])
    const other = await hub.ask({ url: '/api/v1/readings?site=beta', headers: { accept }, secret })
    expect(other.statusCode).toBe(403)
    await hub.close()
  })

  test('csv: roll-ups have their series in every row, forecasts a row a step', async () => {
    const hub = await startTwoSites()
    const secret = await hub.key('viewer')
    const of = (path: string) => hub.ask({ url: `/api/v1/${path}`, headers: { accept }, secret })
    const [head, first] = linesOf(
      (await of('rollups?site=alpha&device=alpha-meter&metric=energy_total&from=2026-03-02T00:00:00Z')).body,
    )
    expect(head).toBe('at,site,device,metric,unit,count,min,max,mean,first,last')
    expect(first).toBe('2026-03-02T00:00:00.000Z,alpha,alpha-meter,energy_total,kWh,1,114,114,114,114,114')
    const { items } = (await hub.ask({ url: '/api/v1/forecasts?site=alpha', secret })).json()
    const [forecast] = items
    const lines = linesOf((await of('forecasts?site=alpha')).body)
    expect(lines[0]).toBe(
      'from,to,site,domain,subject,metric,unit,mean,lo,hi,level,baseline,baseline_name,model,version,model_kind,origin,made_at',
    )
    expect(lines).toHaveLength(forecast.mean.length + 1)
    const cells = lines[1]!.split(',')
    expect(cells.slice(2, 8)).toEqual([
      'alpha',
      'energy',
      'alpha-meter',
      'energy',
      'kWh',
      String(forecast.mean[0]),
    ])
    expect([Date.parse(cells[0]!), Date.parse(cells[1]!)]).toEqual([
      forecast.origin,
      forecast.origin + forecast.grid[0].stepMs,
    ])
    await hub.close()
  })
})

describe('/api/v1/energy', () => {
  const clock = new VirtualClock(Date.parse('2026-03-30T12:00:00Z'))
  let hub: TestHub
  let secret: string
  beforeAll(async () => {
    hub = await startTestHub({ clock, open: true })
    secret = await hub.key('viewer')
    // 1 kW, one reading each five minutes, over the change of clocks on 2026-03-29; nothing from 06:00Z to 09:00Z of the 30th
    const first = Date.parse('2026-03-27T23:00:00Z')
    const rows = []
    for (let at = first; at <= clock.now(); at += 5 * minuteMs) {
      const gap = at > Date.parse('2026-03-30T06:00:00Z') && at < Date.parse('2026-03-30T09:00:00Z')
      if (!gap) rows.push({ device: 'heater', metric: 'power', value: 1000, at })
    }
    await hub.push(rows)
  })
  afterAll(() => hub.close())
  const ask = async (query: string) => {
    const answer = await hub.ask({ url: `/api/v1/energy?site=home&device=heater&${query}`, secret })
    expect(answer.statusCode).toBe(200)
    return answer.json() as {
      items: { from: number; to: number; kwh: number; complete: boolean }[]
      next: string | null
    }
  }
  const at = (iso: string): number => Date.parse(iso)

  test('energy: civil days have 23 hours when the clocks change, and an unknown part is not complete', async () => {
    const { items, next } = await ask('by=day')
    expect(next).toBeNull()
    expect(items).toEqual([
      {
        from: at('2026-03-27T23:00Z'),
        to: at('2026-03-28T23:00Z'),
        kwh: expect.closeTo(24, 6),
        complete: true,
      },
      {
        from: at('2026-03-28T23:00Z'),
        to: at('2026-03-29T22:00Z'),
        kwh: expect.closeTo(23, 6),
        complete: true,
      },
      {
        ...{ from: at('2026-03-29T22:00Z'), to: at('2026-03-30T12:00Z') },
        ...{ kwh: expect.closeTo(11, 6), complete: false },
      },
    ])
  })

  test('energy: hours add up to the days, in pages, and hours of which nothing is known are left out', async () => {
    const query = 'from=2026-03-29T22:00:00Z&to=2026-03-30T12:00:00Z&by=hour'
    const all = (await ask(query)).items
    expect(all).toHaveLength(11)
    expect(all.every(({ complete }) => complete)).toBe(true)
    expect(all.reduce((sum, { kwh }) => sum + kwh, 0)).toBeCloseTo(11, 6)
    const paged = []
    let cursor = ''
    do {
      const page = await ask(`${query}&limit=4${cursor}`)
      paged.push(...page.items)
      cursor = page.next === null ? '' : `&cursor=${page.next}`
    } while (cursor !== '')
    expect(paged).toEqual(all)
  })

  test('energy: a span that cuts a day has the energy of its part', async () => {
    const { items } = await ask('by=day&from=2026-03-28T10:00:00Z&to=2026-03-28T11:30:00Z')
    expect(items).toEqual([
      {
        from: at('2026-03-28T10:00Z'),
        to: at('2026-03-28T11:30Z'),
        kwh: expect.closeTo(1.5, 6),
        complete: true,
      },
    ])
  })

  test('energy: as CSV it has the unit in its header', async () => {
    const url = '/api/v1/energy?site=home&device=heater&by=day&limit=1'
    const answer = await hub.ask({ url, secret, headers: { accept } })
    const [head, row] = linesOf(answer.body)
    expect(head).toBe('from,to,site,device,energy_kwh,complete')
    expect(row).toMatch(
      /^2026-03-27T23:00:00.000Z,2026-03-28T23:00:00.000Z,home,heater,(24|23\.9\d+|24\.0\d+),true$/,
    )
    expect(answer.headers['link']).toMatch(/cursor=\d+>; rel="next"$/)
  })

  test.each([
    ['site=home&device=ghost', 404, 'not_found'],
    ['site=nowhere&device=heater', 404, 'not_found'],
    ['site=home', 400, 'request_invalid'],
    ['site=home&device=heater&by=week', 400, 'request_invalid'],
    ['site=home&device=heater&from=soon', 400, 'request_invalid'],
    ['site=home&device=heater&cursor=x', 400, 'cursor_invalid'],
  ])('energy: %s is refused', async (query, status, code) => {
    const answer = await hub.ask({ url: `/api/v1/energy?${query}`, secret })
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  })
})
