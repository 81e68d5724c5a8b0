import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKey } from '../../src/api/keys.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { exitOf, HomeostatError } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/ports.ts'
import { domains } from '../../src/domains/index.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/main.ts'
import { createRandom } from '../../src/ml/random.ts'
import { createPushSource } from '../../src/sources/push.ts'
import { temporaryFolder } from '../servers.ts'

/**
 * One bit of one file of a data folder changes, or a file is cut: the start is refused in a sentence, or everything is
 * answered as before. `DAMAGE_SEEDS=200` for all of them (npm run test:soak).
 */
const seeds = Number(process.env['DAMAGE_SEEDS'] ?? 12)

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const baseAt = 1_700_000_000_000

let root: ReturnType<typeof temporaryFolder>
/** Data folders of a hub that was stopped, and of one that was killed, and what it answers. */
const folders: Record<string, string> = {}
let answers = ''

const configOf = (data: string): Config =>
  loadConfig({
    ...{ cwd: root.path, env: {}, domains },
    flags: { data, 'limits.journalSegmentBytes': 262_144, 'training.enabled': false },
  })

beforeAll(async () => {
  root = temporaryFolder('damage')
  const data = join(root.path, 'data')
  const config = configOf(data)
  const first = await openEngine(config, silent)
  await fill(first.engine, 0)
  await first.close()
  const second = await openEngine(config, silent)
  await fill(second.engine, 1)
  answers = await answersOf(second.engine)
  folders['killed'] = copyOf(data, 'killed')
  await second.close()
  folders['stopped'] = copyOf(data, 'stopped')
}, 120_000)
afterAll(() => root.remove())

/** Values are quarters, so that a mean does not depend on the order of the sum. */
async function fill(engine: Engine, round: number): Promise<void> {
  const source = createPushSource()
  engine.startSource(source)
  for (let batch = 0; batch < 20; batch++) {
    await source.push(
      Array.from({ length: 500 }, (_, row) => ({
        ...{ device: `d${row % 20}`, metric: 'temperature', unit: 'degC', source: 'test' },
        ...{
          value: 20 + ((row * 7 + batch) % 40) / 4,
          at: baseAt + (round * 20 + batch) * 3_600_000 + row * 1000,
        },
      })),
    )
    await source.push([{ device: 'bad', metric: 'temperature', value: 'much', source: 'test' }])
  }
  await engine.ledger.putKey(createKey(`key ${round}`, 'viewer', null, baseAt).key)
}

async function answersOf(engine: Engine): Promise<string> {
  const key = { site: 'home', device: 'd3', metric: 'temperature' }
  const keys = (await engine.ledger.keys()).map(({ name, role }) => ({ name, role }))
  return JSON.stringify([
    await engine.readings({}, 100_000),
    await engine.rollups(key, baseAt, baseAt + 50 * 3_600_000),
    [engine.sites(), await engine.ledger.devices(), keys],
    (await engine.ledger.quarantined(1000)).map(({ row }) => row),
  ])
}

/** Without the file of the shared memory, which ends with the processes. */
function copyOf(from: string, name: string): string {
  const to = join(root.path, name)
  for (const file of filesIn(from)) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    copyFileSync(join(from, file), join(to, file))
  }
  return to
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile() && !/-shm$|reserve$/.test(name))
    .sort()

/** Damages one file of the folder; says what was done. */
function damage(folder: string, seed: number): string {
  const { next } = createRandom(seed)
  const files = filesIn(folder).filter((name) => statSync(join(folder, name)).size > 0)
  const name = files[Math.floor(next() * files.length)]!
  const bytes = readFileSync(join(folder, name))
  // most of a segment or of a new file is zeros that mean nothing
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1
  const at = Math.floor(next() * used)
  if (next() < 0.25) {
    writeFileSync(join(folder, name), bytes.subarray(0, at))
    return `${name} cut at ${at} of ${used}`
  }
  const bit = Math.floor(next() * 8)
  bytes[at]! ^= 1 << bit
  writeFileSync(join(folder, name), bytes)
  return `${name}, bit ${bit} at ${at} of ${used}`
}

/** `refused` or `whole`; anything else is a fault. */
async function startOn(folder: string): Promise<string> {
  let opened: Awaited<ReturnType<typeof openEngine>>
  try {
    opened = await openEngine(configOf(folder), silent)
  } catch (error) {
    if (!(error instanceof HomeostatError)) return `a bug: ${error instanceof Error ? error.stack : error}`
    return exitOf(error.code) > 0 && !error.message.includes('\n')
      ? 'refused'
      : `no sentence: ${error.message}`
  }
  try {
    const now = await answersOf(opened.engine)
    if (now === answers) return 'whole'
    const at = [...now].findIndex((char, index) => char !== answers[index])
    return `other answers: ${now.slice(at - 100, at + 100)} instead of ${answers.slice(at - 100, at + 100)}`
  } catch (error) {
    return `fails later: ${error}`
  } finally {
    await opened.close()
  }
}

describe('a data folder', () => {
  it.each(['stopped', 'killed'])('that was %s answers as before', async (state) => {
    expect(await startOn(copyOf(folders[state]!, `whole-${state}`))).toBe('whole')
  })

  it.each(Array.from({ length: seeds }, (_, seed) => seed))(
    'with one damaged file is refused or answers as before (seed %i)',
    async (seed) => {
      const copy = copyOf(folders[seed % 2 === 0 ? 'stopped' : 'killed']!, `seed-${seed}`)
      const what = damage(copy, seed)
      expect([what, await startOn(copy)]).toEqual([what, expect.stringMatching(/^(refused|whole)$/)])
    },
  )
})
