import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ThresholdRule } from '../../src/contract/thresholds.ts'
import { hourMs, minuteMs, secondMs } from '../../src/core/time.ts'
import { createRandom } from '../../src/ml/random.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { type Batch, type History, historyArbitrary, type Mishap, orderOf, startMs } from './histories.ts'
import { createDisk, type Disk, type Process, settled, startProcess, storedReadings } from './path-kit.ts'

/**
 * Whatever fails on the way, everything on the disk ends as in the run without faults: readings, derived series, alerts,
 * incidents. Many histories are drawn; a failing one is shrunk to the fewest deliveries that still fail.
 */

const rules: readonly ThresholdRule[] = [
  { name: 'hot', metric: 'temperature', above: 50, level: 'critical', forSeconds: 0 },
  { name: 'warm', metric: 'temperature', above: 45, level: 'warning', forSeconds: 120 },
]
/** All of a history is recent: what is history is another test. */
const options = { rules, liveWithinMs: 48 * hourMs }
/** Every history is over by then. */
const endAfterMs = 6 * hourMs

describe.each(['through', 'journal'] as const)('stores written by way of: %s', (kind) => {
  it('ends the same whatever fails on the way', async () => {
    await fc.assert(
      fc.asyncProperty(historyArbitrary, async (history) => {
        expect(await endOf(history, kind, true)).toEqual(await endOf(history, kind, false))
      }),
      {
        numRuns: Number(process.env['FAULT_RUNS'] ?? 1000) / 2,
        seed: Number(process.env['FAULT_SEED'] ?? 20260302),
      },
    )
  }, 600_000)
})

it('ends the same by way of a journal as without one', async () => {
  await fc.assert(
    fc.asyncProperty(historyArbitrary, async (history) => {
      expect(await endOf(history, 'journal', true)).toEqual(await endOf(history, 'through', false))
    }),
    { numRuns: 50, seed: 7 },
  )
}, 600_000)

/** Everything on the disk after the history, after rebuilds, and after a last restart. */
async function endOf(history: History, kind: 'through' | 'journal', withFaults: boolean) {
  const clock = new VirtualClock(startMs)
  const random = createRandom(history.batches.length)
  const world = new World(clock, await createDisk(kind, (below) => Math.floor(random.next() * below)))
  await world.start()
  for (const { batch, mishap } of withFaults ? orderOf(history) : inOrder(history)) {
    await clock.skip(secondMs)
    await world.deliver(batch, withFaults ? mishap : 'none')
  }
  await clock.advance(10 * minuteMs)
  await world.process.stop()
  await world.start()
  // incidents resolve by the clock: both runs end at the same time, after all that was measured
  await clock.advance(startMs + endAfterMs - clock.now())
  await world.process.stop()
  return pictureOf(world.disk)
}

const inOrder = ({ batches }: History): { readonly batch: Batch; readonly mishap: Mishap }[] =>
  batches.flat().map((batch) => ({ batch, mishap: 'none' }))

async function pictureOf(disk: Disk) {
  const alerts = await disk.ledger.alerts({}, 10_000)
  const incidents = await disk.ledger.incidents.list({}, 10_000)
  return {
    readings: (await storedReadings(disk)).map(({ device, metric, at, value }) => ({
      series: `${device} ${metric}`,
      minute: (at - startMs) / minuteMs,
      // sums in another order differ in the last bits
      value: Number(value.toPrecision(9)),
    })),
    alerts: alerts.map(({ rule, target, since, until, value }) => ({ rule, target, since, until, value })),
    // when people were told depends on when alerts arrived
    incidents: incidents.map(
      ({ id, target, device, status, level, since, closedAt, occurrences, ...rest }) => ({
        ...{ id, target, device, status, level, since, closedAt, resolvedAt: rest.resolvedAt, occurrences },
        alerts: rest.alerts.map(({ rule, since, until, value }) => ({ rule, since, until, value })),
      }),
    ),
    dirty: await disk.ledger.dirtySpans(),
  }
}

class World {
  readonly disk: Disk
  readonly #clock: VirtualClock
  process!: Process

  constructor(clock: VirtualClock, disk: Disk) {
    this.#clock = clock
    this.disk = disk
  }

  async start(): Promise<void> {
    this.process = await startProcess(this.disk, this.#clock, options)
  }

  /** Until the sender has its acknowledgement. */
  async deliver(batch: Batch, mishap: Mishap): Promise<void> {
    const { faults } = this.disk
    switch (mishap) {
      case 'none':
        break
      case 'retry':
        faults.appends = 1
        faults.journal = 1
        break
      case 'append fails':
        faults.appends = 3
        faults.journal = 3
        break
      case 'record fails':
        faults.records = 3
        break
      case 'killed before the append':
      case 'killed before the record':
        await this.#kill(batch, mishap)
        break
      case 'killed after the append':
        await settled(this.process.emit(batch), this.#clock)
        await this.process.kill()
        this.disk.powerCut?.()
        await this.start()
        break
      case 'sent twice':
        await settled(this.process.emit(batch), this.#clock)
        break
    }
    for (;;) {
      const receipt = this.process.emit(batch).then(
        () => true,
        () => false,
      )
      if (await settled(receipt, this.#clock)) break
    }
    // a turn without facts does not meet the fault that waited for them
    Object.assign(faults, { appends: 0, records: 0, journal: 0 })
  }

  /** The process ends while the commit of the batch is under way; its memory is gone. */
  async #kill(batch: Batch, mishap: 'killed before the append' | 'killed before the record'): Promise<void> {
    const { faults } = this.disk
    const fault = mishap === 'killed before the append' ? 'appends' : 'records'
    faults[fault] = Number.POSITIVE_INFINITY
    if (fault === 'appends') faults.journal = Number.POSITIVE_INFINITY
    const dying = this.process
    void dying.emit(batch).catch(() => undefined)
    await this.#clock.advance(0)
    await dying.kill()
    Object.assign(faults, { appends: 0, records: 0, journal: 0 })
    this.disk.powerCut?.()
    await this.start()
  }
}
