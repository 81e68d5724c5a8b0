import { afterEach, beforeEach, expect, test } from 'vitest'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import type { IncidentNotification } from '../../core/incident.ts'
import type { IncidentLedger } from '../../core/incident-ledger.ts'
import { dayMs, minuteMs } from '../../core/time.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { Feed } from '../feed.ts'
import { IncidentDesk } from './desk.ts'
import { made, options, start } from './made-alerts.ts'

let clock: VirtualClock
let ledger: IncidentLedger
let isDiskFull: boolean
let feed: Feed
let told: IncidentNotification[]
let errors: string[]
let desk: IncidentDesk

beforeEach(async () => {
  clock = new VirtualClock(start)
  isDiskFull = false
  told = []
  errors = []
  ledger = onDisk(createMemoryLedger().incidents)
  feed = new Feed((error) => errors.push(String(error)))
  feed.subscribe((news) => {
    if (news.kind !== 'incidents') return
    for (const { notify } of news.changes) if (notify !== undefined) told.push(notify)
  })
  desk = open()
  await desk.open([])
})
afterEach(() => desk.stop())

const log = { info: () => {}, warn: () => {}, error: (message: string) => void errors.push(message) }
const open = (): IncidentDesk => new IncidentDesk({ ledger, feed, clock, log }, options)
const saved = () => ledger.list({}, 9)

/** The same ledger on a disk that may be full. */
function onDisk(incidents: IncidentLedger): IncidentLedger {
  const full = (): void => {
    if (isDiskFull) throw new Error('the disk is full')
  }
  return {
    ...incidents,
    async put(rows) {
      full()
      await incidents.put(rows)
    },
    async putWindow(window) {
      full()
      await incidents.putWindow(window)
    },
  }
}

test('desk: an incident escalates and resolves by the clock alone, and each move is saved', async () => {
  desk.take([made(0, undefined, { level: 'critical' })])
  await desk.save()
  await clock.advance(4 * minuteMs)
  expect(told).toEqual(['opened'])
  await clock.advance(minuteMs)
  expect(told).toEqual(['opened', 'escalated'])
  desk.take([made(0, 5, { level: 'critical' })])
  await clock.advance(5 * minuteMs)
  expect(told).toEqual(['opened', 'escalated', 'resolved'])
  expect(await saved()).toMatchObject([{ status: 'resolved' }])
})

test('desk: an alert that must be escalated sooner than anything before wakes it in time', async () => {
  desk.take([made(0)])
  await clock.advance(minuteMs)
  desk.take([made(1, undefined, { level: 'critical', subject: 'b' })])
  await clock.advance(5 * minuteMs)
  expect(told).toEqual(['opened', 'opened', 'escalated'])
})

test('desk: what was acknowledged stays so after a restart', async () => {
  desk.take([made(0)])
  const [incident] = desk.unresolved()
  await desk.acknowledge(incident!.id, 'Ada')
  await desk.stop()
  await clock.advance(3 * dayMs)
  desk = open()
  await desk.open([made(0)])
  expect(desk.unresolved()).toMatchObject([{ status: 'acknowledged', acknowledged: { by: 'Ada' } }])
  expect(told).toEqual(['opened'])
})

test('desk: an alert of before there were incidents gets one at the start, and keeps it', async () => {
  await desk.stop()
  for (const notifications of [['opened'], ['opened']]) {
    desk = open()
    await desk.open([made(0)])
    expect(await saved()).toMatchObject([{ status: 'open', occurrences: 1 }])
    expect(told).toEqual(notifications)
    await desk.stop()
  }
})

test('desk: an incident that was resolved by a person does not come back while its alert stays open', async () => {
  desk.take([made(0)])
  await desk.resolve(desk.unresolved()[0]!.id, 'Ada')
  await desk.stop()
  await clock.advance(30 * dayMs)
  desk = open()
  await desk.open([made(0)])
  expect(desk.unresolved()).toEqual([])
})

test('desk: what cannot be saved is told all the same, refused to the person who wants it, and saved later', async () => {
  isDiskFull = true
  desk.take([made(0)])
  await desk.save()
  expect(told).toEqual(['opened'])
  const [incident] = desk.unresolved()
  await expect(desk.acknowledge(incident!.id, 'Ada')).rejects.toMatchObject({ code: 'change_not_stored' })
  const window = { id: 'w', site: 'home', from: start, to: start + dayMs, by: 'Ada', reason: '' }
  await expect(desk.addWindow(window)).rejects.toMatchObject({ code: 'change_not_stored' })
  expect(desk.unresolved()).toMatchObject([{ suppressed: false }])
  expect(await saved()).toEqual([])
  isDiskFull = false
  await clock.advance(5000)
  await turnOfTheLoop()
  expect(await saved()).toMatchObject([{ status: 'acknowledged' }])
  expect(errors.length).toBeGreaterThan(0)
})

test('desk: a transaction that failed gives back what it took, and the next one takes it again', async () => {
  desk.take([made(0)])
  const rows = desk.takeUnsaved()
  expect(rows).toMatchObject([{ occurrences: 1 }])
  desk.take([made(1, undefined, { rule: 'b' })])
  desk.returnUnsaved(rows)
  expect(desk.takeUnsaved()).toMatchObject([{ occurrences: 2 }])
  expect(await saved()).toEqual([])
})

test('desk: what was resolved long ago is found, and cannot be acknowledged any more', async () => {
  desk.take([made(0)])
  const { id } = desk.unresolved()[0]!
  desk.take([made(0, 1)])
  await clock.advance(3 * dayMs)
  expect(await desk.get(id)).toMatchObject({ status: 'resolved' })
  await expect(desk.acknowledge(id, 'Ada')).rejects.toMatchObject({ code: 'not_acceptable_state' })
  await expect(desk.acknowledge('nobody', 'Ada')).rejects.toMatchObject({ code: 'not_found' })
})
