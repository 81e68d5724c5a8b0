import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeCursor } from '../../src/api/cursor.ts'
import type { Alert } from '../../src/core/event.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { noon, startTwoSites, type TwoSites } from './two-sites.ts'

interface Page {
  readonly items: readonly Record<string, unknown>[]
  readonly next: string | null
}

/** All pages of a list; `between` happens after each page. */
async function walk(
  hub: TestHub,
  url: string,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<Page['items']> {
  const secret = await hub.key('operator')
  const found: Record<string, unknown>[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null; page++) {
    if (page > 1000) throw new Error('the list does not end')
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = await hub.ask({ url: url + query, secret })
    expect(answer.statusCode).toBe(200)
    const { items, next } = answer.json<Page>()
    expect(next === null || items.length > 0).toBe(true)
    found.push(...items)
    cursor = next
    await between(page)
  }
  return found
}

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, '0')}`)

describe('pages of a list that grows meanwhile', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await startTestHub({ open: true })
  })
  afterEach(() => hub.close())

  test('readings: every one that was there, once, in order of time', async () => {
    const start = Date.now() - 3_600_000
    const rows = named('sensor', 5).flatMap((device) =>
      Array.from({ length: 40 }, (_, step) => ({
        device,
        metric: 'power',
        value: step,
        at: start + step * 1000,
      })),
    )
    await hub.push(rows)
    const found = await walk(hub, '/api/v1/readings?limit=7', (page) =>
      // newer ones, and some of a time that is past already
      hub.push([
        { device: 'late', metric: 'power', value: page, at: start + 100_000 + page },
        { device: 'early', metric: 'power', value: page, at: start - 1 - page },
      ]),
    )
    const places = found.map(({ at, device }) => `${at} ${device}`)
    expect(new Set(places).size).toBe(places.length)
    expect(found.filter(({ device }) => String(device).startsWith('sensor'))).toHaveLength(rows.length)
    const times = found.map(({ at }) => Number(at))
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test.each(['latest', 'series', 'devices'])(
    '%s: every old one once, though others sort before it',
    async (list) => {
      const power = (device: string) => ({ device, metric: 'power', value: 1 })
      await hub.push(named('m', 30).map(power))
      const found = await walk(hub, `/api/v1/${list}?limit=4`, (page) =>
        hub.push([power(`a-new-${page}`), power(`z-new-${page % 3}`)]),
      )
      const names = found.map(({ device, id }) => String(device ?? id))
      expect(names.filter((name) => name.startsWith('m-'))).toEqual(named('m', 30))
      expect(new Set(names).size).toBe(names.length)
    },
  )

  test('latest: nothing is left out when another site goes meanwhile', async () => {
    const power = (site: string) => (device: string) => ({ site, device, metric: 'power', value: 1 })
    await hub.push([...named('a', 6).map(power('attic')), ...named('b', 6).map(power('barn'))])
    const found = await walk(hub, '/api/v1/latest?limit=4', (page) =>
      page === 0 ? hub.engine.removeSite('attic') : Promise.resolve(),
    )
    expect(found.filter(({ site }) => site === 'barn').map(({ device }) => device)).toEqual(named('b', 6))
  })

  test('quarantine: newest first, each row once, while more come', async () => {
    await hub.push(named('bad', 20).map((device) => ({ device, metric: 'power', value: 'none' })))
    const found = await walk(hub, '/api/v1/quarantine?limit=3', () =>
      hub.push([{ device: 'newer', metric: 'power', value: 'none' }]),
    )
    const ids = found.map(({ id }) => Number(id))
    expect(ids).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index))
  })
})

describe('alerts', () => {
  let hub: TestHub
  beforeEach(async () => {
    hub = await startTestHub({ open: true })
    await hub.ledger.putAlerts(
      named('lamp', 25).map((subject, index) => alert(subject, { since: 1000 + Math.floor(index / 3) })),
    )
    await hub.ledger.putAlerts([
      alert('lamp-003', { site: 'cabin', since: 1001 }),
      alert('lamp-004', { since: 1001, until: 1002 }),
    ])
  })
  afterEach(() => hub.close())

  const alert = (
    subject: string,
    { site = 'home', since, until }: { site?: string; since: number; until?: number },
  ): Alert => ({
    target: { site, domain: 'thresholds', subject },
    ...{ rule: 'bright', level: 'info', since, at: since, message: `${subject} is bright.` },
    ...(until === undefined ? {} : { until }),
  })
  const subjects = (items: Page['items']): unknown[] =>
    items.map(({ target }) => (target as { subject: string }).subject)

  test('all: newest first, each once, while newer ones come', async () => {
    const found = await walk(hub, '/api/v1/alerts?limit=4', (page) =>
      hub.ledger.putAlerts([alert('new', { since: 2000 + page })]),
    )
    expect(found).toHaveLength(26)
    expect(new Set(found.map((item) => JSON.stringify(item))).size).toBe(26)
    const times = found.map(({ since }) => Number(since))
    expect(times).toEqual([...times].sort((a, b) => b - a))
  })

  test('open, closed, and of one site', async () => {
    const open = await walk(hub, '/api/v1/alerts?open=true&limit=4')
    expect(open).toHaveLength(25)
    expect(open.every(({ until }) => until === undefined)).toBe(true)
    expect(subjects(await walk(hub, '/api/v1/alerts?open=false&limit=4'))).toEqual(['lamp-004'])
    expect(subjects(await walk(hub, '/api/v1/alerts?site=cabin&limit=4'))).toEqual(['lamp-003'])
  })

  test.each(['open=yes', 'limit=0', 'limit=1001'])('%s is refused', async (query) => {
    expect((await hub.ask({ url: `/api/v1/alerts?${query}` })).statusCode).toBe(400)
  })
})

describe('cursors', () => {
  const series = 'site=alpha&device=alpha-meter&metric'
  const lists: readonly (readonly [string, string])[] = [
    ['readings', '/api/v1/readings?metric=co2&limit=1'],
    ['latest', '/api/v1/latest?limit=1'],
    ['series', '/api/v1/series?limit=1'],
    ['devices', '/api/v1/devices?limit=1'],
    ['forecasts', '/api/v1/forecasts?limit=1'],
    ['models', '/api/v1/models?limit=1'],
    ['rollups', `/api/v1/rollups?${series}=energy_total&limit=1`],
    ['predictions', `/api/v1/predictions?${series}=energy&limit=1`],
    ['quarantine', '/api/v1/quarantine?limit=1'],
    ['alerts', '/api/v1/alerts?limit=1'],
  ]
  const forged = [
    'x',
    '%00',
    'bm9uc2Vuc2U',
    ...[
      [],
      {},
      null,
      [null],
      [[]],
      [{}],
      [''],
      [1.5],
      ['1', 'a', 'b', 'c', 'd'],
      [1, 2, 3, 4],
      [1, 'a', 'b'],
      [1, 'a', 'b', 'c', 'd', 'e', 'f'],
    ].map((place) => Buffer.from(JSON.stringify(place)).toString('base64url')),
    // JSON reads this as infinity
    Buffer.from('[1e999]').toString('base64url'),
    Buffer.from('[1e999,"a","b","c"]').toString('base64url'),
  ]

  let hub: TwoSites
  beforeEach(async () => {
    hub = await startTwoSites()
  })
  afterEach(async () => {
    expect(hub.errors).toEqual([])
    await hub.close()
  })

  test.each(lists)('of %s: a forged one is refused, never obeyed and never a failure', async (_, url) => {
    const secret = await hub.key('operator')
    for (const cursor of forged) {
      const answer = await hub.ask({ url: `${url}&cursor=${cursor}`, secret })
      expect([cursor, answer.statusCode, answer.json().code]).toEqual([cursor, 400, 'cursor_invalid'])
    }
  })

  test.each(lists)('of %s: one page after the other is the whole list', async (_, url) => {
    const secret = await hub.key('operator')
    const { items } = (await hub.ask({ url: url.replace('limit=1', 'limit=1000'), secret })).json<Page>()
    expect(items.length).toBeGreaterThan(0)
    expect(await walk(hub, url)).toEqual(items)
  })

  test.each(['readings', 'latest', 'series', 'devices', 'forecasts', 'models'])(
    'of %s: one that points into another site shows nothing of it',
    async (list) => {
      const secret = await hub.key('viewer', ['alpha'])
      const near = [
        ['beta', '', ''],
        [noon - 3000, 'beta', '', ''],
        ['beta', ''],
        [-noon, 'beta', '', '', ''],
        [-noon - 99_999_999, 'beta', '', '', ''],
      ]
      for (const place of near) {
        const answer = await hub.ask({ url: `/api/v1/${list}?cursor=${encodeCursor(place)}`, secret })
        expect(answer.body).not.toContain('beta')
      }
    },
  )
})
