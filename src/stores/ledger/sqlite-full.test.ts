import { expect, it } from 'vitest'
import { alert, quarantined, site } from '../../../test/conformance/ledger-samples.ts'
import { mountSmallDisk, type SmallDisk, smallDiskOrSkip } from '../../../test/servers/small-disk.ts'
import { emptyFacts } from '../../core/turn.ts'
import { createSqliteLedger } from './sqlite.ts'

/** The ledger on a disk that is full: a tmpfs. */
const { available, reason } = smallDiskOrSkip()
const withDisk =
  (megabytes: number, work: (disk: SmallDisk) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const disk = mountSmallDisk(megabytes)
    try {
      await work(disk)
    } finally {
      disk.remove()
    }
  }
/** More than the log has room for between two checkpoints. */
const many = (from: number) => Array.from({ length: 5000 }, (_, index) => alert({ since: from + index }))

it.skipIf(!available)(
  `refuses what a full disk has no room for, and takes it when there is room ${reason}`,
  withDisk(8, async (disk) => {
    const ledger = createSqliteLedger({ folder: disk.path })
    await ledger.open()
    await ledger.putSites([site('home')])
    await ledger.putAlerts([alert({ since: 1 })])
    disk.fill()
    for (const from of [10_000, 20_000])
      await expect(ledger.putAlerts(many(from))).rejects.toMatchObject({
        code: 'change_not_stored',
        message: 'The change could not be stored: database or disk is full.',
      })
    expect(await ledger.alerts({}, 10)).toHaveLength(1)
    disk.empty()
    await ledger.putAlerts(many(10_000))
    expect(await ledger.alerts({}, 10_000)).toHaveLength(5001)
    await ledger.close()
  }),
)

it.skipIf(!available)(
  `is closed on a full disk also where its log cannot be merged, and can be opened there ${reason}`,
  withDisk(8, async (disk) => {
    const ledger = createSqliteLedger({ folder: disk.path })
    await ledger.open()
    await ledger.putSites([site('home')])
    await ledger.putAlerts(many(0))
    disk.fill()
    await expect(ledger.close()).rejects.toThrow('disk is full')
    await expect(ledger.alerts({}, 1)).rejects.toThrow('not open')
    const again = createSqliteLedger({ folder: disk.path })
    await again.open()
    expect(await again.alerts({}, 10_000)).toHaveLength(5000)
    disk.empty()
    await again.putAlerts([alert({ since: 10_000 })])
    await again.close()
  }),
)

it.skipIf(!available)(
  `has recorded nothing of a turn that it rejects, and all of one that it takes ${reason}`,
  withDisk(4, async (disk) => {
    const ledger = createSqliteLedger({ folder: disk.path, quarantineLimit: 5 })
    await ledger.open()
    // from room for nothing to room for the turn and for the trimming after it
    let position = 0
    let rows = 0
    let refused = 0
    for (let leaveBytes = 0; leaveBytes <= 160 * 1024; leaveBytes += 4096) {
      disk.empty()
      await ledger.maintain(keepAll)
      disk.fill(leaveBytes)
      const turn = { ...emptyFacts, quarantined: Array.from({ length: 11 }, (_, at) => quarantined(at)) }
      const isTaken = await ledger.record(turn, position + 1).then(
        () => true,
        () => false,
      )
      if (isTaken) {
        position++
        rows += 11
      } else refused++
      const newest = (await ledger.quarantined(1))[0]?.id ?? 0
      expect([leaveBytes, await ledger.position(), newest]).toEqual([leaveBytes, position, rows])
    }
    expect(refused).toBeGreaterThan(0)
    expect(position).toBeGreaterThan(0)
    disk.empty()
    await ledger.close()
  }),
)

const keepAll = {
  ...{ quarantined: 1_000_000, closedAlerts: 1_000_000, modelEvents: 1_000_000 },
  ...{ keepFrom: 0, forecastsFrom: 0, thinBefore: 0, incidentsFrom: 0 },
}
