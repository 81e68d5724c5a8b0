import { describe, expect, test } from 'vitest'
import type { Reading } from '../api/types.ts'
import { firstOf, groupByRoom, listDevices, matching, ofListed } from './group.ts'
import { powerNow } from './power.ts'

const nameOf = (id: string): string => `the ${id}`

const reading = (device: string, metric: string, over: Partial<Reading> = {}): Reading => ({
  site: 'home',
  device,
  metric,
  unit: 'W',
  value: 100,
  at: 1,
  ...over,
})

describe('the list of devices', () => {
  const devices = listDevices(
    'home',
    [
      { site: 'home', id: 'sensor-10', type: 'climate', room: 'kitchen', attributes: {} },
      { site: 'home', id: 'sensor-2', type: 'climate', room: 'kitchen', attributes: {} },
      { site: 'demo', id: 'other', type: 'climate', attributes: {} },
    ],
    [
      reading('sensor-2', 'available', { unit: 'state' }),
      reading('sensor-2', 'battery', { unit: '%' }),
      reading('sensor-2', 'weight', { unit: 'kg' }),
      reading('sensor-2', 'co2', { unit: 'ppm' }),
      reading('new', 'power'),
    ],
  )

  test('holds the devices of one site, also one that only its readings know', () => {
    expect(devices.map(({ id }) => id).sort()).toEqual(['new', 'sensor-10', 'sensor-2'])
  })

  test('puts what matters first, and last how the device itself does', () => {
    expect(devices.find(({ id }) => id === 'sensor-2')?.series.map(({ metric }) => metric)).toEqual([
      'co2',
      'weight',
      'battery',
      'available',
    ])
  })

  test('is grouped by room, numbers by size, what has no room last', () => {
    expect(
      groupByRoom(devices).map(({ room, devices: members }) => [room, members.map(({ id }) => id)]),
    ).toEqual([
      ['kitchen', ['sensor-2', 'sensor-10']],
      [undefined, ['new']],
    ])
  })

  test('is searched by every word in id, type, room and metric', () => {
    const found = (search: string) => matching(devices, search).map(({ id }) => id)
    expect(found('KITCHEN co₂')).toEqual(['sensor-2'])
    expect(found('kitchen power')).toEqual([])
    expect(found('')).toHaveLength(3)
  })

  test('is cut over all rooms', () => {
    const shown = firstOf(groupByRoom(devices), 1)
    expect(shown.flatMap((group) => group.devices)).toHaveLength(1)
  })
})

test('devices that report: neither hidden nor removed ones count, nor those of another site', () => {
  const live = [
    reading('lamp', 'power'),
    reading('hidden', 'power'),
    reading('removed', 'power'),
    reading('lamp', 'power', { site: 'barn' }),
  ].map((one) => ({ reading: one }))
  const devices = [
    { site: 'home', id: 'lamp', type: 'plug', attributes: {} },
    { site: 'home', id: 'hidden', type: 'plug', attributes: {}, hidden: true },
    { site: 'barn', id: 'removed', type: 'plug', attributes: {} },
  ]
  expect(ofListed(live, 'home', devices).map((one) => one.reading.device)).toEqual(['lamp'])
  expect(ofListed(live, 'home', undefined)).toHaveLength(3)
})

describe('power now', () => {
  const live = (device: string, metric: string, value: number) => ({
    reading: reading(device, metric, { value }),
  })

  test('is what the grid meter says where there is one', () => {
    expect(powerNow([live('grid-meter', 'grid_power', -300), live('tv', 'power', 90)], nameOf)).toMatchObject(
      {
        watts: 300,
        label: 'To the grid',
      },
    )
  })

  test('is the meter of the whole house, never added to the single ones', () => {
    expect(powerNow([live('house', 'power', 800), live('tv', 'power', 90)], nameOf)).toMatchObject({
      watts: 800,
      note: 'measured by the house',
    })
  })

  test('is else the sum of the single meters, called that', () => {
    expect(powerNow([live('oven', 'power', 800), live('tv', 'power', 90)], nameOf)).toMatchObject({
      watts: 890,
      note: 'sum of 2 single meters',
    })
  })

  test('is not made up where no power is measured', () => {
    expect(powerNow([{ reading: reading('t', 'temperature', { unit: 'degC' }) }], nameOf)).toBeUndefined()
  })
})
