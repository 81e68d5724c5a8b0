import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
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

  it('holds a JSON line an entry; long ones are replaced, so many are kept, and nothing between them is lost', async () => {
    const logs = join(folder, 'logs')
    const log = createHubLog({ level: 'info', file: join(logs, 'hub.log'), fileBytes: 2000, filesKept: 3 })
    let number = 0
    while (readdirSync(logs).length < 3 && number < 1_000_000) {
      for (let row = 0; row < 20; row++) log.info('Something happened.', { number: number++ })
      // written when the loop is free
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(readdirSync(logs).sort()).toEqual(['hub.log', 'hub.log.1', 'hub.log.2'])
    const numbers = (): number[] =>
      ['hub.log.2', 'hub.log.1', 'hub.log'].flatMap((name) =>
        readFileSync(join(logs, name), 'utf8')
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => (JSON.parse(line) as { number: number }).number),
      )
    await expect.poll(() => numbers().at(-1)).toBe(number - 1)
    const kept = numbers()
    expect(kept).toEqual(kept.map((_, index) => kept[0]! + index))
  })
})
