import { describe, expect, test } from 'vitest'
import type { Incident } from '../api/types.ts'
import { idName } from '../format/words.ts'
import { byUrgency, courseText, coverText, snoozeChoices, statusTags, subjectText } from './describe.ts'

const zone = 'Europe/Berlin'
const at = Date.UTC(2026, 2, 28, 21, 30)
const incident = (over: Partial<Incident> = {}): Incident => ({
  ...{
    id: 'a',
    target: { site: 'home', domain: 'thresholds', subject: 'air' },
    device: 'air',
    metric: 'co2',
  },
  ...{ level: 'warning', status: 'open', suppressed: false, late: false, message: 'Stuffy.', since: at },
  ...{ occurrences: 1, escalations: 0, revision: 1 },
  ...over,
})
const tagsOf = (over: Partial<Incident>): string[] => statusTags(incident(over), zone).map(({ text }) => text)

describe('an incident', () => {
  test.each([
    [{}, []],
    [{ acknowledged: { by: 'Ada', at }, status: 'acknowledged' }, ['Acknowledged by Ada']],
    [{ acknowledged: { by: 'this machine', at } }, ['Acknowledged by someone at this machine']],
    [{ status: 'resolved', acknowledged: { by: 'Ada', at }, suppressed: true }, ['Resolved']],
    [{ status: 'resolved', resolvedBy: 'Ada' }, ['Resolved by Ada']],
    [{ suppressed: true, late: true }, ['Maintenance', 'Reported late']],
  ] as const)('%j bears the tags %j', (over, tags) => {
    expect(tagsOf(over)).toEqual(tags)
  })

  test('snoozed, tells until when in the zone of its site', () => {
    expect(tagsOf({ snoozed: { by: 'Ada', at, until: at } })).toEqual([expect.stringMatching(/until.*22:30/)])
  })

  test('names what it is about', () => {
    const kitchen = { site: 'home', domain: 'smoke', subject: 'kitchen' }
    const { device: _device, metric: _metric, ...smoke } = incident({ target: kitchen })
    const nameOf = (id: string): string => (id === 'x1' ? 'Air of the attic' : idName(id))
    const about = [incident(), incident({ device: 'x1' }), smoke]
    expect(about.map((one) => subjectText(one, nameOf))).toEqual([
      'Air · CO₂',
      'Air of the attic · CO₂',
      'Kitchen · smoke',
    ])
    const window = { id: 'w', site: 'home', from: at, to: at + 1, reason: '', by: 'Ada' }
    expect(coverText({ ...window, subject: 'x1' }, nameOf)).toBe('Air of the attic')
  })

  test('tells how long, and how often people were reminded', () => {
    const course = courseText(incident({ closedAt: at + 1_800_000, escalations: 2 }), zone)
    expect(course).toMatch(/since .*22:30 · over after 30 minutes · 2 reminders/)
    expect(courseText(incident({ status: 'acknowledged', escalations: 2 }), zone)).not.toContain('reminder')
  })

  test('comes after those that nobody takes care of, and before those that are less urgent or older', () => {
    const list = [
      incident({ id: 'old', since: at - 1 }),
      incident({ id: 'info', level: 'info', since: at + 5 }),
      incident({ id: 'seen', level: 'critical', status: 'acknowledged' }),
      incident({ id: 'new' }),
      incident({ id: 'fire', level: 'critical', since: at - 9 }),
    ]
    expect(list.toSorted(byUrgency).map(({ id }) => id)).toEqual(['fire', 'new', 'old', 'info', 'seen'])
  })
})

test('a snooze until tomorrow ends at seven in the morning of the site, also after a change of clocks', () => {
  const [quarter, hour, tomorrow] = snoozeChoices(at, zone).map(({ until }) => until)
  expect([quarter, hour]).toEqual([at + 900_000, at + 3_600_000])
  expect(tomorrow).toBe(Date.UTC(2026, 2, 29, 5, 0))
})
