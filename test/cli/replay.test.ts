import { createHash } from 'node:crypto'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makePlace, type Place, patienceMs, posting, requireBuild, type Serving } from './cli.ts'

/** `homeostat replay`, with the hubs before and after it. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
  place.configure({ retention: { journalDays: 1 } })
})
afterEach(() => place.clear())

const rowsOf = (device: string): string => {
  const rows = Array.from(
    { length: 500 },
    (_, row) =>
      `2026-03-02T10:${String(Math.floor(row / 60)).padStart(2, '0')}:${String(row % 60).padStart(2, '0')}Z,${device},power,${row},W`,
  )
  return `time,device,metric,value,unit\n${rows.join('\n')}\n`
}

/** Readings, alerts, devices and what is quarantined, as a hub answers. */
async function pictureOf(hub: Serving): Promise<unknown[]> {
  const lists = ['readings?limit=5000', 'alerts', 'devices', 'series', 'quarantine', 'sites']
  const answers = await Promise.all(lists.map((list) => hub.ask(`/api/v1/${list}`)))
  for (const [index, { status }] of answers.entries())
    expect([lists[index], status]).toEqual([lists[index], 200])
  return answers.map(({ body }) => body)
}

/** What a hub says at /api/v1/infos: nothing, where it misses nothing. */
const nothingLost = { status: 200, body: { items: [], next: null } }

test('restores what was stored by a moment, into an empty folder and on top of an older copy', async () => {
  const alarm = { name: 'high', metric: 'power', above: 1000, level: 'warning' }
  place.configure({ retention: { journalDays: 1 }, domains: { thresholds: { rules: [alarm] } } })
  expect(await place.run('import', place.write('fridge.csv', rowsOf('fridge')))).toMatchObject({ code: 0 })
  const older = join(place.path, 'older')
  await cp(place.data, older, { recursive: true })

  const hub = await place.serve('--no-demo')
  const bad = { device: 'lamp', metric: 'power', value: 'broken' }
  await hub.ask('/api/v1/readings', posting([{ device: 'lamp', metric: 'power', value: 2000 }, bad]))
  expect(await hub.stop()).toBe(0)
  const again = await place.serve('--no-demo')
  const picture = await pictureOf(again)
  expect(JSON.stringify(picture)).toMatch(/"lamp".*"high".*broken/)
  await sleep(20)
  const moment = new Date().toISOString()
  await sleep(20)
  await again.ask('/api/v1/readings', posting({ device: 'later', metric: 'power', value: 3000 }))
  expect(await again.stop('SIGKILL')).toBe(null)
  const journal = await contentsOf(join(place.data, 'journal'))

  const empty = join(place.path, 'new')
  for (const [folder, readings] of [
    [empty, 501],
    [older, 1],
  ] as const) {
    const ended = await place.run(
      'replay',
      '--from',
      place.data,
      '--data',
      folder,
      '--until',
      moment,
      '--json',
    )
    expect(ended).toMatchObject({ code: 0, error: '' })
    expect(JSON.parse(ended.out)).toMatchObject({ end: 'until', from: place.data, data: folder })
    expect(JSON.parse(ended.out).readings).toBeGreaterThanOrEqual(readings)
    expect(await contentsOf(join(place.data, 'journal'))).toEqual(journal)
    const restored = await place.serve('--no-demo', '--data', folder)
    expect(await pictureOf(restored)).toEqual(picture)
    expect(await restored.ask('/api/v1/infos')).toEqual(nothingLost)
    await restored.ask('/api/v1/readings', posting({ device: 'next', metric: 'power', value: 1 }))
    expect(await restored.stop()).toBe(0)
  }
})

test('shows what it did, and names where the journal is damaged', async () => {
  place.configure({ retention: { journalDays: 1 }, limits: { journalSegmentBytes: 256 * 1024 } })
  expect(await place.run('import', place.write('a.csv', rowsOf('a')))).toMatchObject({ code: 0 })
  const whole = await place.run('replay', '--from', place.data, '--data', 'whole')
  expect(whole).toMatchObject({ code: 0, error: '' })
  expect(whole.out).toMatch(
    /^Replayed: [\d,]+ turns with [\d,]+ readings into \S+whole in [\d.]+ s\nStored from 2\S+Z to 2\S+Z\nStart a hub on it with: homeostat serve --data \S+whole\n$/,
  )
  const [oldest = ''] = (await readdir(join(place.data, 'journal'))).sort()
  const path = join(place.data, 'journal', oldest)
  const bytes = await readFile(path)
  // the first frame, in the middle of the journal once a hub has begun another segment
  bytes[200]! ^= 1
  const hub = await place.serve('--no-demo')
  await hub.ask('/api/v1/readings', posting({ device: 'b', metric: 'power', value: 1 }))
  expect(await hub.stop()).toBe(0)
  await writeFile(path, bytes)
  const damaged = await place.run('replay', '--from', place.data, '--data', 'part')
  expect(damaged).toMatchObject({ code: 6 })
  expect(damaged.error).toMatch(new RegExp(`^The journal is damaged: segment ${oldest}, offset 64: .*\n$`))
})

test('is refused while a hub holds the folder', async () => {
  place.configure({ retention: { journalDays: 1 } })
  const hub = await place.serve('--no-demo')
  const held = await place.run('replay', '--from', place.data, '--data', 'new')
  expect(held).toMatchObject({ code: 5, out: '' })
  expect(held.error).toMatch(/is held by another hub/)
  expect(await hub.stop()).toBe(0)
})

test.each([
  [['--data', 'new'], /required option '--from <folder>' not specified/, 2],
  [['--from', 'old'], /required option '--data <folder>' not specified/, 2],
  [['--from', 'old', '--data', 'new', '--until', 'noon'], /A time is ISO 8601, such as/, 2],
  [['--from', 'old', '--data', 'new'], /There is no journal in \S+old\/journal\./, 4],
] as const)('homeostat replay %j is refused, and makes nothing', async (args, error, code) => {
  const ended = await place.run('replay', ...args)
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.error).toMatch(error)
  expect(ended.error).not.toMatch(/\n\s+at /)
  expect(await readdir(place.path)).toEqual(['homeostat.yaml'])
})

const contentsOf = async (folder: string): Promise<string[]> =>
  Promise.all(
    (await readdir(folder)).sort().map(async (name) => {
      const bytes = await readFile(join(folder, name))
      return `${name} ${createHash('sha256').update(bytes).digest('hex')}`
    }),
  )
