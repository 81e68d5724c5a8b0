import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dailyBackups, nameOf } from './backup.ts'
import { loadConfig } from './config/load.ts'
import type { FrozenStores } from './core/frozen.ts'
import { domains } from './domains/index.ts'
import { readBackup } from './platform/backup.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-daily-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const source = { version: '1', configFile: undefined }
const backups = (flags: Record<string, unknown>) =>
  dailyBackups(
    loadConfig({ cwd: folder, env: {}, domains, flags: { data: join(folder, 'data'), ...flags } }),
    source,
  )

const freeze = async (): Promise<FrozenStores> => ({
  files: [
    {
      ...{ name: 'ledger.db', bytes: 3 },
      async *read() {
        yield Buffer.from('abc')
      },
    },
  ],
  position: 1,
  release: () => undefined,
})

describe('daily backups', () => {
  it('are made only where the configuration names a folder', () => {
    expect(backups({})).toBeUndefined()
    expect(backups({ 'backup.folder': 'b', 'backup.hour': 5 })).toMatchObject({ hour: 5 })
  })

  it('keep the newest, remove what a killed process left, and touch nothing else', async () => {
    const older = ['2026-01-01T04-00-00Z', '2026-01-02T04-00-00Z', '2026-01-03T04-00-00Z']
    for (const time of older) writeFileSync(join(folder, `homeostat-${time}.tar.gz`), time)
    writeFileSync(join(folder, 'homeostat-2026-01-04T04-00-00Z.tar.gz.partial'), 'half')
    writeFileSync(join(folder, 'homeostat-before-the-move.tar.gz'), 'mine')
    await backups({ 'backup.folder': folder, 'backup.kept': 2 })?.save(freeze, new AbortController().signal)
    const [kept, mine, ...more] = readdirSync(folder).sort().reverse()
    expect(mine).toMatch(/^homeostat-20\d\d-/)
    expect([kept, ...more]).toEqual([
      'homeostat-before-the-move.tar.gz',
      'homeostat-2026-01-03T04-00-00Z.tar.gz',
    ])
    expect(await readBackup(join(folder, mine!))).toMatchObject({ position: 1 })
  })

  it('leave nothing behind when the hub stops meanwhile', async () => {
    const stop = new AbortController()
    const slow = async (): Promise<FrozenStores> => ({
      ...(await freeze()),
      files: [
        {
          ...{ name: 'ledger.db', bytes: 3 },
          async *read() {
            stop.abort()
            yield Buffer.from('abc')
          },
        },
      ],
    })
    await expect(backups({ 'backup.folder': folder })?.save(slow, stop.signal)).rejects.toThrow()
    expect(readdirSync(folder)).toEqual([])
  })

  it('have names that sort by time', () => {
    expect(nameOf(Date.UTC(2026, 2, 2, 4))).toBe('homeostat-2026-03-02T04-00-00Z.tar.gz')
  })
})
