import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHubLog, createLog } from './log.ts'
import { readableLines } from './log-streams.ts'

describe('readableLines', () => {
  const said = (fields: Readonly<Record<string, unknown>>): string => {
    let text = ''
    const log = createLog(
      'info',
      readableLines((line) => {
        text += line
      }),
    )
    log.warn('The disk is nearly full.', fields)
    return text
  }

  it('writes time, level, sentence and fields on one line', () => {
    expect(said({ usedShare: 0.95, folder: '/data' })).toMatch(
      /^\d\d:\d\d:\d\d warn {2}The disk is nearly full\. usedShare=0\.95 folder=\/data\n$/,
    )
  })

  it('writes neither secrets nor what would move the cursor of a terminal', () => {
    const line = said({ token: 'abc', device: 'a\u001b[2Jb\nc', list: [1, { x: 'y z' }] })
    expect(line).not.toContain('abc')
    expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u)
    expect(line).toContain('list=[1,{"x":"y z"}]')
  })
})

describe('log.file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'homeostat-log-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const entries = (file: string): { number: number }[] =>
    readFileSync(join(folder, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  it('holds a JSON line an entry; long ones are replaced, and so many are kept', async () => {
    const file = join(folder, 'logs', 'hub.log')
    const log = createHubLog({ level: 'info', file, fileBytes: 2000, filesKept: 3 })
    for (let number = 0; number < 300; number++) {
      log.info('Something happened.', { number })
      if (number % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await expect
      .poll(() => readdirSync(join(folder, 'logs')).sort())
      .toEqual(['hub.log', 'hub.log.1', 'hub.log.2'])
    const newest = () => entries('logs/hub.log.1').concat(entries('logs/hub.log')).at(-1)?.number
    await expect.poll(newest).toBe(299)
    const kept = ['hub.log.2', 'hub.log.1'].flatMap((name) => entries(join('logs', name)))
    // nothing is lost in between
    expect(kept.map(({ number }) => number)).toEqual(kept.map((_, index) => kept[0]!.number + index))
    expect(statSync(join(folder, 'logs', 'hub.log.1')).size).toBeLessThan(4000)
  })
})
