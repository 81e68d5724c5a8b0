import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FrozenFile } from '../core/frozen.ts'
import { packBackup, readBackup, saveBackup } from './backup.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-backup-'))
  file = join(folder, 'b.tar.gz')
})
afterEach(() => rmSync(folder, { recursive: true }))

const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index) % 251))
const frozen = (name: string, bytes: Buffer): FrozenFile => ({
  ...{ name, bytes: bytes.length },
  async *read() {
    yield bytes.subarray(0, 1000)
    yield bytes.subarray(1000)
  },
})

interface Made {
  readonly stream: Readable
  readonly released: () => number
}

function make(files: readonly FrozenFile[] = [frozen('ledger.db', content)], msMax = 60_000): Made {
  let released = 0
  const release = (): void => void released++
  const stream = packBackup({
    stores: { files, position: 7, release },
    ...{ version: '1', createdAt: 5, msMax },
    others: { models: join(folder, 'models'), 'homeostat.yaml': join(folder, 'homeostat.yaml') },
  })
  return { stream, released: () => released }
}

describe('a backup', () => {
  it('is one file that is whole, with all that was frozen and what else there is', async () => {
    writeFileSync(join(folder, 'homeostat.yaml'), 'port: 1\n')
    const { stream, released } = make()
    const manifest = await saveBackup(stream, file)
    expect(manifest).toMatchObject({ format: 1, version: '1', createdAt: 5, position: 7 })
    expect(manifest.files.map(({ name }) => name)).toEqual(['ledger.db', 'homeostat.yaml'])
    expect(released()).toBeGreaterThan(0)
    const into = join(folder, 'out')
    expect(await readBackup(file, into)).toEqual(manifest)
    expect(readFileSync(join(into, 'ledger.db')).equals(content)).toBe(true)
    expect(readdirSync(folder)).not.toContain('b.tar.gz.partial')
  })

  it('is not there where a store cannot be read, and an older one stays', async () => {
    writeFileSync(file, 'older')
    const broken: FrozenFile = {
      ...{ name: 'readings.duckdb', bytes: 10 },
      async *read(): AsyncGenerator<Uint8Array> {
        yield content.subarray(0, 5)
        throw new Error('it cannot be read')
      },
    }
    const { stream, released } = make([broken])
    await expect(saveBackup(stream, file)).rejects.toMatchObject({
      code: 'backup_failed',
      message: expect.stringContaining('it cannot be read'),
    })
    expect(released()).toBeGreaterThan(0)
    expect(readFileSync(file, 'utf8')).toBe('older')
    expect(readdirSync(folder)).toEqual(['b.tar.gz'])
  })

  it('releases the stores where nobody reads it to its end', async () => {
    const { stream, released } = make([frozen('ledger.db', Buffer.alloc(1 << 22, content))])
    stream.destroy()
    await new Promise((resolve) => stream.once('close', resolve))
    expect(released()).toBeGreaterThan(0)
    const slow = make([frozen('ledger.db', Buffer.alloc(1 << 22, content))], 1)
    await expect(buffer(slow.stream)).rejects.toThrow('backup.secondsMax')
    expect(slow.released()).toBeGreaterThan(0)
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'is refused with one bit changed or its end cut (seed %i)',
    async (seed) => {
      await saveBackup(make().stream, file)
      const whole = readFileSync(file)
      const changed = Buffer.from(whole)
      // not in the ten bytes of the gzip header, of which the time and the system mean nothing
      changed[10 + ((seed * 7919) % (whole.length - 10))]! ^= 1 << seed
      writeFileSync(file, changed)
      await expect(readBackup(file)).rejects.toMatchObject({ code: 'backup_invalid' })
      writeFileSync(file, whole)
      truncateSync(file, Math.floor((whole.length * (seed + 1)) / 9))
      await expect(readBackup(file)).rejects.toMatchObject({ code: 'backup_invalid' })
    },
  )

  it.each(['homeostat/../evil', '/etc/evil', 'homeostat/a/../../evil', 'other/ledger.db'])(
    'never writes outside of its folder (%s)',
    async (name) => {
      const archive = pack()
      archive.entry({ name }, 'evil')
      archive.finalize()
      writeFileSync(file, gzipSync(await buffer(Readable.from(archive))))
      const into = join(folder, 'out')
      await expect(readBackup(file, into)).rejects.toMatchObject({ code: 'backup_invalid' })
      expect(readdirSync(folder)).not.toContain('evil')
    },
  )

  it.each([
    ['was changed', [['ledger.db', 'changed']], /ledger\.db is missing or was changed/],
    ['is missing', [], /ledger\.db is missing or was changed/],
    [
      'is not named',
      [
        ['ledger.db', 'abc'],
        ['more', 'x'],
      ],
      /files that its manifest does not name/,
    ],
  ] as const)(
    'is refused where a file of it %s, though the archive is whole',
    async (_, entries, sentence) => {
      const sha256 = createHash('sha256').update('abc').digest('hex')
      const manifest = {
        format: 1,
        version: '1',
        createdAt: 0,
        position: 1,
        files: [{ name: 'ledger.db', bytes: 3, sha256 }],
      }
      const archive = pack()
      for (const [name, text] of entries) archive.entry({ name: `homeostat/${name}` }, text)
      archive.entry({ name: 'homeostat/manifest.json' }, JSON.stringify(manifest))
      archive.finalize()
      writeFileSync(file, gzipSync(await buffer(Readable.from(archive))))
      await expect(readBackup(file)).rejects.toMatchObject({
        ...{ code: 'backup_invalid', message: expect.stringMatching(sentence) },
      })
    },
  )

  it('is refused where it is no backup, and where there is none', async () => {
    writeFileSync(file, 'text')
    await expect(readBackup(file)).rejects.toMatchObject({ code: 'backup_invalid' })
    await expect(readBackup(join(folder, 'none'))).rejects.toMatchObject({ code: 'file_unreadable' })
  })
})
