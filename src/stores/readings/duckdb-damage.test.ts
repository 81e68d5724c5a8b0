import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { HomeostatError } from '../../core/errors.ts'
import { createDuckDbReadings } from './duckdb.ts'

/** Three headers, then blocks; see duckdb-undo.ts. */
const blocksAt = 3 * 4096
const blockBytes = 262_144

it('the store of readings is refused at open where one bit of a block has changed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'homeostat-blocks-'))
  const whole = join(root, 'whole')
  const readings = createDuckDbReadings({ folder: whole })
  await readings.open()
  const rows = Array.from({ length: 20_000 }, (_, at) => ({
    ...{ site: 'home', device: 'd', metric: 'temperature', unit: 'degC' },
    ...{ value: (at * 7919) % 10_007, at },
  }))
  await readings.append(rows)
  await readings.close()
  const bytes = readFileSync(join(whole, 'readings.duckdb'))
  let refused = 0
  for (let at = blocksAt + 1000; at < bytes.length; at += blockBytes) {
    const folder = join(root, String(at))
    cpSync(whole, folder, { recursive: true })
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 4
    writeFileSync(join(folder, 'readings.duckdb'), damaged)
    const store = createDuckDbReadings({ folder })
    try {
      await store.open()
      // a block that nothing refers to
      expect((await store.read({}, 100_000)).map(({ value }) => value)).toEqual(
        rows.map(({ value }) => value),
      )
      await store.close()
    } catch (error) {
      if (!(error instanceof HomeostatError)) throw error
      expect(error).toMatchObject({ code: 'data_damaged' })
      expect(error.message).not.toContain('\n')
      refused++
    }
  }
  expect(refused).toBeGreaterThan(0)
  rmSync(root, { recursive: true })
})
