import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Alert } from '../../core/event.ts'
import type { Incident, IncidentChange } from '../../core/incident.ts'
import { Incidents } from './incidents.ts'
import { made, minute, options } from './made-alerts.ts'

/** Twice is once: whatever comes again, is lost or restarts, the incidents end as in the run without faults. */

interface Report {
  readonly at: number
  readonly alert: Alert
}

/** The life of one condition: a gap before it, how long it holds, both in minutes. */
const condition = fc.record({
  rule: fc.constantFrom('stuffy', 'suffocating'),
  subject: fc.constantFrom('air', 'bedroom air'),
  level: fc.constantFrom('info', 'warning', 'critical'),
  gap: fc.integer({ min: 1, max: 40 }),
  holds: fc.integer({ min: 1, max: 30 }),
})

/** Each rule raises its alerts one after the other; the last one may stay open. */
const history = fc
  .tuple(fc.array(condition, { minLength: 1, maxLength: 25 }), fc.boolean())
  .map(([conditions, staysOpen]) => reportsOf(conditions, staysOpen))

type Conditions = readonly {
  readonly rule: string
  readonly subject: string
  readonly level: Alert['level']
  readonly gap: number
  readonly holds: number
}[]

function reportsOf(conditions: Conditions, staysOpen: boolean): Report[] {
  const ends = new Map<string, number>()
  const reports = conditions.flatMap(({ gap, holds, ...change }, index): Report[] => {
    const key = `${change.rule} ${change.subject}`
    const since = (ends.get(key) ?? 0) + gap
    ends.set(key, since + holds)
    const opening = { at: minute(since), alert: made(since, undefined, change) }
    if (staysOpen && index === conditions.length - 1) return [opening]
    return [opening, { at: minute(since + holds), alert: made(since, since + holds, change) }]
  })
  return reports.sort((a, b) => a.at - b.at)
}

/** What happens after a report: nothing, old reports come again, the turn is committed, the process is killed. */
const fault = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.record({ kind: fc.constant('repeat' as const), back: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ kind: fc.constant('commit' as const), fails: fc.boolean() }),
  fc.constant({ kind: 'kill' } as const),
)
type Fault = typeof fault extends fc.Arbitrary<infer Value> ? Value : never

/** A hub whose ledger outlives it. */
class Hub {
  readonly ledger = new Map<string, Incident>()
  incidents = new Incidents(options)

  commit(fails = false): void {
    const rows = this.incidents.takeUnsaved()
    if (fails) this.incidents.returnUnsaved(rows)
    else for (const row of rows) this.ledger.set(row.id, row)
  }

  restart(now: number): void {
    this.incidents = new Incidents(options)
    const from = now - this.incidents.rememberedMs
    const rows = [...this.ledger.values()].filter(({ resolvedAt }) => (resolvedAt ?? now) >= from)
    this.incidents.restore(rows, [])
  }

  /** What is left after another two days. */
  outcome(now: number): unknown {
    this.incidents.wake(now)
    this.commit()
    return [...this.ledger.values()].map(outcomeOf).sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

/** All but when people were told, which is a matter of when the hub knew. */
const outcomeOf = ({ revision: _, notifiedAt: _at, escalations: _count, ...incident }: Incident) => incident

const end = minute(3 * 24 * 60)

function withoutFaults(reports: readonly Report[]): unknown {
  const hub = new Hub()
  for (const { at, alert } of reports) hub.incidents.take([alert], at)
  return hub.outcome(end)
}

function withFaults(reports: readonly Report[], faults: readonly Fault[]): unknown {
  const hub = new Hub()
  let committed = 0
  for (const [index, { at, alert }] of reports.entries()) {
    hub.incidents.take([alert], at)
    const event = faults[index % faults.length]!
    if (event.kind === 'repeat') {
      hub.incidents.take(
        reports.slice(Math.max(0, index - event.back), index + 1).map((one) => one.alert),
        at,
      )
    } else if (event.kind === 'commit') {
      hub.commit(event.fails)
      if (!event.fails) committed = index + 1
    } else if (event.kind === 'kill') {
      hub.restart(at)
      // what was not acknowledged is sent again, all at once
      hub.incidents.take(
        reports.slice(committed, index + 1).map((one) => one.alert),
        at,
      )
    }
  }
  return hub.outcome(end)
}

test('repeats, failed commits and restarts end in the same incidents as the run without faults', () => {
  fc.assert(
    fc.property(history, fc.array(fault, { minLength: 1, maxLength: 30 }), (reports, faults) => {
      expect(withFaults(reports, faults)).toEqual(withoutFaults(reports))
    }),
    { numRuns: 1000 },
  )
})

/** Those that move at the same moment come in any order. */
const byId = (changes: readonly IncidentChange[]): IncidentChange[] =>
  changes.toSorted((a, b) => (a.incident.id < b.incident.id ? -1 : 1))

test('alerts that come again change nothing, and nobody is told again', () => {
  fc.assert(
    fc.property(history, (reports) => {
      const once = new Incidents(options)
      const again = new Incidents(options)
      for (const [index, { at, alert }] of reports.entries()) {
        const changes = once.take([alert], at)
        expect(byId(again.take([alert], at))).toEqual(byId(changes))
        const old = reports.slice(0, index + 1).map((report) => report.alert)
        expect(again.take([...old, ...old.toReversed()], at)).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})
