import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReading, parseTime, parseValue, type RawReading } from './reading.ts'

const now = Date.UTC(2026, 5, 1, 12)
const midnights: Record<string, number> = {
  home: Date.UTC(2026, 4, 31, 22),
  tokyo: Date.UTC(2026, 4, 31, 15),
}
const context = {
  now,
  defaultSite: 'home',
  maxFutureMs: 600_000,
  dayStart: (site: string) => midnights[site]!,
}
const good: RawReading = { source: 'test', device: 't1', metric: 'temperature', value: 21.5, at: now - 1000 }
const parse = (change: Partial<RawReading>) => parseReading({ ...good, ...change }, context)

describe('a reading is taken', () => {
  it.each<[string, Partial<RawReading>, object]>([
    [
      'as it is',
      {},
      { site: 'home', device: 't1', metric: 'temperature', value: 21.5, unit: 'degC', at: now - 1000 },
    ],
    ['in its canonical unit', { value: 212, unit: 'degF' }, { value: 100, unit: 'degC' }],
    [
      'with a unit that differs in case',
      { metric: 'power', value: 2, unit: 'KW' },
      { value: 2000, unit: 'W' },
    ],
    ['with mW and MW told apart', { metric: 'power', value: 2, unit: 'mW' }, { value: 0.002, unit: 'W' }],
    ['as a raw value in the canonical unit', { unit: 'raw' }, { unit: 'degC' }],
    [
      'of an unknown metric in its own unit',
      { metric: 'ldr', value: 750, unit: 'lux' },
      { unit: 'lux', value: 750 },
    ],
    ['of an unknown metric without a unit', { metric: 'ldr' }, { unit: 'raw' }],
    ['with a value as text', { value: ' 21,5'.replace(',', '.') }, { value: 21.5 }],
    ['with a state', { metric: 'door', value: 'Open' }, { value: 1 }],
    ['with a boolean', { metric: 'motion', value: false }, { value: 0 }],
    ['with a device that is a number', { device: 7 }, { device: '7' }],
    ['with its room', { room: ' kitchen ' }, { room: 'kitchen' }],
    ['with a site', { site: 'barn' }, { site: 'barn' }],
    ['at the moment of arrival', { at: undefined }, { at: now }],
    [
      'with a clock time of its own site',
      { site: 'tokyo', at: '20:00:00' },
      { at: Date.UTC(2026, 5, 1, 11) },
    ],
    ['with a clock time of the default site', { at: '08:15:30' }, { at: Date.UTC(2026, 5, 1, 6, 15, 30) }],
    ['from a clock a little ahead', { at: now + 599_000 }, { at: now + 599_000 }],
  ])('%s', (_name, change, expected) => {
    const parsed = parse(change)
    expect(parsed).toMatchObject({ ok: true, reading: expected })
  })

  it('says whether the hub set its time', () => {
    expect(parse({ at: null })).toMatchObject({ stamped: true })
    expect(parse({ at: now })).toMatchObject({ stamped: false })
  })
})

describe('a bad reading is refused with a code', () => {
  it.each<[string, Partial<RawReading>, string]>([
    ['no device', { device: undefined }, 'field_missing'],
    ['no metric', { metric: undefined }, 'field_missing'],
    ['no value', { value: undefined }, 'field_missing'],
    ['an empty device', { device: '  ' }, 'id_invalid'],
    ['a device with a control character', { device: 'a\u0000b' }, 'id_invalid'],
    ['a device with half a character', { device: 'a\ud800' }, 'id_invalid'],
    ['a device of an object', { device: {} }, 'id_invalid'],
    ['a device too long', { device: 'x'.repeat(129) }, 'id_invalid'],
    ['a site that is null', { site: null }, 'id_invalid'],
    ['a value that is null', { value: null }, 'value_not_number'],
    ['a value that is NaN', { value: Number.NaN }, 'value_not_number'],
    ['a value that is infinite', { value: '1e999' }, 'value_not_number'],
    ['a value in hexadecimal', { value: '0x1g' }, 'value_not_number'],
    ['a value of words', { value: 'warm' }, 'value_not_number'],
    ['a value named like a property of every object', { value: 'constructor' }, 'value_not_number'],
    ['a device of the hub itself', { device: ' @energy:fridge' }, 'id_reserved'],
    [
      'a value that its unit makes infinite',
      { metric: 'power', value: 1e308, unit: 'kW' },
      'value_too_large',
    ],
    ['a negative one', { metric: 'power', value: '-1e308', unit: 'MW' }, 'value_too_large'],
    ['a unit of another dimension', { unit: 'W' }, 'unit_unknown'],
    ['apparent power as power', { metric: 'power', unit: 'VA' }, 'unit_unknown'],
    ['a unit that may be milli or mega', { metric: 'power', unit: 'mw' }, 'unit_ambiguous'],
    ['a unit that is a number', { unit: 3 }, 'unit_invalid'],
    ['a unit too long', { metric: 'ldr', unit: 'x'.repeat(21) }, 'unit_invalid'],
    ['a time of words', { at: 'yesterday' }, 'at_invalid'],
    ['a time in seconds', { at: Math.floor(now / 1000) }, 'at_invalid'],
    ['a time in the far future', { at: now + 601_000 }, 'at_in_future'],
    ['a time beyond all dates', { at: 1e300 }, 'at_in_future'],
  ])('%s', (_name, change, code) => {
    expect(parse(change)).toMatchObject({ ok: false, problem: { code } })
  })

  it('keeps the fault that its source found', () => {
    const fault = { code: 'payload_not_json', message: 'no' } as const
    expect(parse({ fault })).toEqual({ ok: false, problem: fault })
  })

  it('says in its sentence what came and what would be right', () => {
    const parsed = parse({ unit: 'W' })
    expect(!parsed.ok && parsed.problem.message).toBe(
      'The unit "W" is not known for the metric "temperature"; give one that converts to degC, or use a metric in such units (power, pv_power, battery_power, grid_power).',
    )
  })
})

describe('times', () => {
  it.each<[string | number, string | undefined]>([
    ['2026-05-30T10:00:00Z', '2026-05-30T10:00:00.000Z'],
    ['2026-05-30T10:00:00.123Z', '2026-05-30T10:00:00.123Z'],
    ['2026-05-30T10:00:00.123456Z', '2026-05-30T10:00:00.123Z'],
    ['2026-05-30 10:00:00', '2026-05-30T10:00:00.000Z'],
    ['2026-05-30 10:00:00+00:00', '2026-05-30T10:00:00.000Z'],
    ['2026-05-30T10:00:00+02:00', '2026-05-30T08:00:00.000Z'],
    ['2026-05-30T10:00:00+0200', '2026-05-30T08:00:00.000Z'],
    ['2026-05-30T10:00:00-03', '2026-05-30T13:00:00.000Z'],
    ['2026-05-30', '2026-05-30T00:00:00.000Z'],
    ['2026-05-30T10:00', '2026-05-30T10:00:00.000Z'],
    ['08:15:30', '2026-06-01T06:15:30.000Z'],
    [1780000000000, '2026-05-28T20:26:40.000Z'],
    ['1780000000000', '2026-05-28T20:26:40.000Z'],
    ['2026-05-30T10:00:00.5x3Z', undefined],
    ['2026-05-30T24:00:00.001Z', undefined],
    ['2026-02-30T10:00:00.000Z', undefined],
    ['2026-02-30 10:00', undefined],
    ['2028-02-29T10:00:00Z', '2028-02-29T10:00:00.000Z'],
    ['25:00:00', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-05-30T10', undefined],
    ['', undefined],
    [Number.NaN, undefined],
  ])('%s is %s', (given, expected) => {
    const at = parseTime(given, () => context.dayStart('home'))
    expect(at === undefined ? undefined : new Date(at).toISOString()).toBe(expected)
  })
})

it('reads the form of JSON dates as the runtime does, in any order of days', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1, maxLength: 20 }), (times) =>
      times.every((ms) => parseTime(new Date(ms).toISOString()) === ms),
    ),
  )
})

it('reads a number from text only where all of it is one', () => {
  expect([
    parseValue('1e3'),
    parseValue('+.5'),
    parseValue('1 2'),
    parseValue('12abc'),
    parseValue(''),
  ]).toEqual([1000, 0.5, undefined, undefined, undefined])
})
