import { describe, expect, test } from 'vitest'
import type { TopicMapping } from '../api/types.ts'
import { draftFault, draftOf, forAllDevices, mappingOf, payloadText } from './draft.ts'

const several: TopicMapping = {
  ...{ topic: 'meters/solar/telemetry', payload: 'json', fields: { at: 'ts' } },
  metrics: { power_w: { metric: 'power', unit: 'W' }, mode: { metric: 'mode' } },
  defaults: { device: 'solar' },
}
const bare: TopicMapping = {
  ...{ topic: 'garage/freezer/temperature', payload: 'number' },
  defaults: { device: 'freezer', metric: 'temperature', unit: 'degC' },
}

test.each([several, bare])('a mapping that nobody changes stays as it is: $topic', (mapping) => {
  expect(mappingOf(draftOf(mapping))).toEqual(mapping)
})

describe('a draft', () => {
  test('leaves out the values that are not taken, and what is empty', () => {
    const draft = draftOf(several)
    const rows = draft.rows.map((row) => ({ ...row, isTaken: row.path === 'mode', unit: ' ' }))
    expect(mappingOf({ ...draft, rows, room: ' hall ' })).toEqual({
      ...{ topic: several.topic, payload: 'json', fields: { at: 'ts' } },
      ...{ metrics: { mode: { metric: 'mode' } }, defaults: { device: 'solar', room: 'hall' } },
    })
  })

  test('takes its device from the topic where it is for all of them', () => {
    const draft = forAllDevices(draftOf(bare))
    expect(draft && mappingOf(draft)).toEqual({
      ...{ topic: 'garage/{device}/temperature', payload: 'number' },
      defaults: { metric: 'temperature', unit: 'degC' },
    })
    expect(forAllDevices({ ...draftOf(bare), device: 'other' })).toBeUndefined()
  })

  test.each([
    ['Take at least one value.', { rows: [] }],
    ['Name the device.', { device: '' }],
    [
      'Name the metric of each value that is taken.',
      { rows: [{ path: '', metric: '', unit: '', isTaken: true }] },
    ],
    [undefined, {}],
  ])('says what it lacks: %s', (fault, change) => {
    expect(draftFault({ ...draftOf(bare), ...change })).toBe(fault)
  })
})

test.each([
  ['{"a":1}', '{\n  "a": 1\n}'],
  ['{"a":', '{"a":'],
  ['21.5', '21.5'],
])('the payload %s is shown so that it can be read', (payload, text) => {
  expect(payloadText(payload)).toBe(text)
})
