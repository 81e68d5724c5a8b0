import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testLedger } from '../../../test/conformance/ledger.ts'
import {
  alert,
  keep,
  key,
  power,
  prediction,
  quarantined,
  site,
} from '../../../test/conformance/ledger-samples.ts'
import { createSqliteLedger } from './sqlite.ts'

const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'homeostat-ledger-'))

testLedger('on SQLite', {
  async create(options) {
    const folder = await temporary()
    const ledger = () => createSqliteLedger({ folder, ...options })
    return { ledger: ledger(), reopen: ledger, dispose: () => rm(folder, { recursive: true }) }
  },
})

describe('the file of the ledger', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await temporary()
    file = join(folder, 'ledger.db')
  })
  afterEach(() => rm(folder, { recursive: true }))

  /** Fills a ledger and closes it. */
  async function fill(): Promise<void> {
    const ledger = createSqliteLedger({ folder })
    await ledger.open()
    await ledger.putSites([site('home')])
    await ledger.putQuarantined(Array.from({ length: 2000 }, (_, at) => quarantined(at)))
    await ledger.close()
  }

  function inside(work: (db: Libsql.Database) => void): void {
    const db = new Libsql(file)
    work(db)
    // closing leaves the log unmerged until the connection is collected, at any later time
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
  }

  it('lets the loop go on while a commit waits for the disk', async () => {
    const ledger = createSqliteLedger({ folder })
    await ledger.open()
    let rounds = 0
    const count = setInterval(() => rounds++, 0)
    // without a wait for another thread all of these are done before the loop has its turn
    for (let number = 0; number < 50; number++) await ledger.putAlerts([alert({ since: number })])
    clearInterval(count)
    expect(rounds).toBeGreaterThan(0)
    await ledger.close()
  })

  it('is not made before open', () => {
    createSqliteLedger({ folder })
    expect(existsSync(file)).toBe(false)
  })

  it('refuses to work before open', async () => {
    await expect(createSqliteLedger({ folder }).putSites([site('home')])).rejects.toThrow('not open')
  })

  it('is made together with its folder, and migrates once', async () => {
    const nested = join(folder, 'a', 'b')
    const schemas: unknown[] = []
    for (let round = 0; round < 3; round++) {
      const ledger = createSqliteLedger({ folder: nested })
      await ledger.open()
      await ledger.close()
      const db = new Libsql(join(nested, 'ledger.db'))
      schemas.push([
        db.prepare('select name, sql from sqlite_master order by name').all(),
        db.prepare('select * from homeostat_migration').all(),
      ])
      db.close()
    }
    expect(schemas[1]).toStrictEqual(schemas[0])
    expect(schemas[2]).toStrictEqual(schemas[0])
    expect(JSON.stringify(schemas[0])).toContain('0001_first')
  })

  it('starts from an empty file as from none', async () => {
    await writeFile(file, '')
    await fill()
    inside((db) => expect(db.prepare('select id from sites').pluck().all()).toStrictEqual(['home']))
  })

  const refusals: readonly { name: string; spoil: () => Promise<void>; says: RegExp }[] = [
    {
      name: 'text where a database should be',
      spoil: () => writeFile(file, 'my shopping list, which nobody may overwrite\n'.repeat(200)),
      says: /not a database/,
    },
    {
      name: 'a file that lost its end',
      async spoil() {
        await fill()
        await truncate(file, Math.floor((await stat(file)).size / 4096 / 2) * 4096)
      },
      says: /damaged|malformed/,
    },
    {
      name: 'a file with rubbish in the middle',
      async spoil() {
        await fill()
        const bytes = await readFile(file)
        await writeFile(file, bytes.fill(0xa5, 8192, bytes.length - 4096))
      },
      says: /damaged|malformed/,
    },
    {
      name: 'the database of another program',
      spoil: async () => inside((db) => db.exec('create table sites (url text)')),
      says: /another program/,
    },
    {
      name: 'a schema newer than the program',
      async spoil() {
        await fill()
        inside((db) => db.exec("insert into homeostat_migration values ('9999_future', '2099-01-01')"))
      },
      says: /newer Homeostat wrote it \(9999_future\)/,
    },
  ]
  it.each(refusals)('is refused by name and left as it is: $name', async ({ spoil, says }) => {
    await spoil()
    const before = await readFile(file)
    const refusal: unknown = await createSqliteLedger({ folder })
      .open()
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'file_unreadable', message: expect.stringMatching(says) })
    expect(refusal).toMatchObject({ message: expect.stringContaining(file) })
    expect((await readFile(file)).equals(before)).toBe(true)
  })

  it('refuses rows that break its constraints, and keeps nothing of their batch', async () => {
    const ledger = createSqliteLedger({ folder })
    await ledger.open()
    await ledger.putKey(key('a'))
    const twice = ledger.putAlerts([alert({ since: 1 }), alert({ since: Number.NaN })])
    await expect(twice).rejects.toThrow(/NOT NULL/)
    await expect(ledger.putKey({ ...key('b'), sha256: key('a').sha256 })).rejects.toThrow(/UNIQUE/)
    expect([await ledger.alerts({}, 9), await ledger.keys()]).toStrictEqual([[], [key('a')]])
    await ledger.close()
    inside((db) =>
      expect(() => db.exec("insert into api_keys values ('x', 'x', 'root', null, 'x', 1)")).toThrow(/CHECK/),
    )
  })

  it('stays small under 100,000 bad messages', async () => {
    const ledger = createSqliteLedger({ folder, quarantineLimit: 2000 })
    await ledger.open()
    const payload = 'x'.repeat(1024)
    const rows = Array.from({ length: 4000 }, (_, at) => quarantined(at, { payload }))
    for (let round = 0; round < 25; round++) await ledger.putQuarantined(rows)
    await ledger.maintain(keep({ quarantined: 2000 }))
    const sizes = await Promise.all([file, `${file}-wal`].map(async (name) => (await stat(name)).size))
    await ledger.close()
    expect(sizes[0]).toBeLessThan(20 << 20)
    expect(sizes[1]).toBe(0)
  })

  it('lets other writes run between the deletions of maintain', async () => {
    const ledger = createSqliteLedger({ folder })
    await ledger.open()
    await ledger.putPredictions(Array.from({ length: 4000 }, (_, at) => prediction({ at, madeAt: at })))
    const upkeep = { done: false }
    const maintained = ledger.maintain(keep({ keepFrom: 3999 })).then(() => {
      upkeep.done = true
    })
    let writes = 0
    for (; !upkeep.done; writes++) {
      await ledger.putSites([site('home')])
      await setImmediate()
    }
    await maintained
    expect(writes).toBeGreaterThanOrEqual(20)
    expect((await ledger.predictions(power, 0, 1e15, 9)).map(({ at }) => at)).toEqual([3999])
    await ledger.close()
  })

  it('holds every write that had resolved when the process was killed', async () => {
    for (let round = 0; round < 3; round++) {
      const acknowledged = await killedWriter(folder, 40 + 30 * round)
      const ledger = createSqliteLedger({ folder })
      await ledger.open()
      const kept = new Set((await ledger.alerts({}, 1e9)).map(({ since }) => since))
      await ledger.close()
      expect(acknowledged.length).toBeGreaterThan(0)
      expect(acknowledged.filter((since) => !kept.has(since))).toStrictEqual([])
    }
  })
})

/** Writes alerts for ever, and names each on standard output once its write has resolved. */
const writer = `
  import { writeSync } from 'node:fs'
  const { createSqliteLedger } = await import(process.env.LEDGER_MODULE)
  const ledger = createSqliteLedger({ folder: process.env.LEDGER_FOLDER })
  await ledger.open()
  const alert = JSON.parse(process.env.LEDGER_ALERT)
  for (let since = (await ledger.alerts({}, 1))[0]?.since ?? 0; ; ) {
    since++
    await ledger.putAlerts([{ ...alert, since }])
    writeSync(1, since + '\\n')
  }
`

/** Runs the writer in a process of its own, kills it -9 after some writes, and gives all that it had named. */
async function killedWriter(folder: string, killAfter: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', writer], {
    env: {
      ...process.env,
      LEDGER_MODULE: new URL('./sqlite.ts', import.meta.url).href,
      LEDGER_FOLDER: folder,
      LEDGER_ALERT: JSON.stringify(alert()),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const acknowledged: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line))
    if (acknowledged.length === killAfter) child.kill('SIGKILL')
  }
  await exited
  return acknowledged
}
