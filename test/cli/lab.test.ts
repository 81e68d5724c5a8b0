import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { program } from '../servers/hub.ts'
import { startProcess } from '../servers.ts'
import { makePlace, type Place, patienceMs, requireBuild } from './cli.ts'

/** `lab` as its user starts it; what it says of each kind of input is tested beside its source. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
})
afterEach(() => place.clear())

const rows = (count: number): string =>
  `time,x,y\n${Array.from({ length: count }, (_, row) => {
    const time = new Date(Date.UTC(2024, 0, 1) + row * 3_600_000).toISOString()
    return `${time},${row % 24},${(row % 24) + (row % 5)}`
  }).join('\n')}\n`

test('each command answers in JSON, and ends with 0', async () => {
  place.write('a.csv', rows(400))
  const learnt = await place.run(
    'lab',
    'learn',
    '--train',
    'a.csv',
    '--test',
    'a.csv',
    '--target',
    'y',
    '--json',
  )
  expect(learnt).toMatchObject({ code: 0, error: '' })
  expect(JSON.parse(learnt.out)).toMatchObject({ task: 'regression', metrics: { rows: 400 } })
  const flags = ['--input', 'a.csv', '--value', 'y', '--json', '--out', 'out.csv']
  const forecast = await place.run('lab', 'forecast', ...flags, '--season', '24', '--horizon', '12')
  expect(forecast).toMatchObject({ code: 0, error: '' })
  expect(JSON.parse(forecast.out)).toMatchObject({ season: 24, horizon: 12, series: [{ series: 'y' }] })
  const found = await place.run('lab', 'detect', ...flags, '--time', 'time')
  expect(found).toMatchObject({ code: 0, error: '' })
  expect(JSON.parse(found.out)).toMatchObject({ rows: 400 })
})

test('the zone of the times is that of the site where none is named, and is said', async () => {
  place.configure({ site: { zone: 'Europe/Paris' } })
  place.write('a.csv', rows(400))
  const flags = ['--input', 'a.csv', '--value', 'y', '--season', '24', '--horizon', '12']
  const { out } = await place.run('lab', 'forecast', ...flags, '--out', 'out.csv')
  expect(out).toMatch(
    /\nZone of the times: Europe\/Paris \(site\.zone of the configuration; --zone ZONE if not\)\n$/,
  )
  expect(readFileSync(join(place.path, 'out.csv'), 'utf8')).toContain('+01:00')
  const named = await place.run('lab', 'forecast', ...flags, '--json', '--zone', 'Asia/Tokyo')
  expect(JSON.parse(named.out)).toMatchObject({ zone: 'Asia/Tokyo' })
})

test.each([
  [['learn', '--train', 'a.csv', '--target', 'y'], 2, /required option '--test <file>' not specified/],
  [
    ['learn', '--train', 'a.csv', '--test', 'b.csv', '--target', 'y'],
    4,
    /^b\.csv: there is no such file\.\n$/,
  ],
  [['forecast', '--input', 'a.csv', '--value', 'z', '--season', '24', '--horizon', '9'], 2, /no column "z"/],
  [
    ['detect', '--input', 'a.csv', '--time', 'x', '--value', 'y', '--out', 'out.csv'],
    2,
    /line 2: "0" in the column x/,
  ],
] as const)('lab %j ends with %i and a sentence', async (args, code, sentence) => {
  place.write('a.csv', rows(100))
  const ended = await place.run('lab', ...args)
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.error).toMatch(sentence)
  expect(ended.error).not.toMatch(/\n\s+at /)
  expect(existsSync(join(place.path, 'out.csv'))).toBe(false)
})

test('interrupted, it leaves no file behind', async () => {
  place.write('a.csv', rows(20_000))
  const args = ['lab', 'forecast', '--input', 'a.csv', '--value', 'y', '--season', '24', '--horizon', '48']
  const started = startProcess(process.execPath, [program, ...args, '--out', 'out.csv'], {
    cwd: place.path,
    env: { PATH: process.env['PATH'] },
  })
  const ended = new Promise((resolve) => started.child.once('close', (_, signal) => resolve(signal)))
  await new Promise((resolve) => setTimeout(resolve, 1500))
  started.child.kill('SIGINT')
  expect(await ended).toBe('SIGINT')
  expect(readdirSync(place.path).filter((name) => name.includes('out'))).toEqual([])
})
