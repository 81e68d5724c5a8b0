import { describe, expect, it } from 'vitest'
import { readTimeFormat, timesOf } from './time.ts'

describe('readTimeFormat', () => {
  const cases: [string, string[], string | undefined][] = [
    ['an offset', ['2024-01-31T10:00:00+01:00', '2024-01-31 10:00:00Z'], 'offset'],
    ['no offset', ['2024-01-31 10:00:00', '2024-01-31T10:00'], 'wall'],
    ['days', ['2024-01-31'], 'wall'],
    ['German dates', ['01.02.2024 10:00'], 'dmy'],
    ['slashes, proven day first', ['01/02/2024', '31/01/2024'], 'dmy'],
    ['slashes, proven month first', ['01/02/2024', '01/31/2024'], 'mdy'],
    ['slashes that could be either', ['01/02/2024', '03/04/2024'], undefined],
    ['seconds since 1970', ['1709154000', '1709154060.5'], 'epoch_s'],
    ['milliseconds since 1970', ['1730376846000.0'], 'epoch_ms'],
    ['seconds since the start', ['0', '300'], undefined],
    ['a few bad cells among good ones', [...Array(19).fill('2024-01-31 10:00:00'), 'oops', ''], 'wall'],
    ['words', ['kitchen'], undefined],
    ['nothing', ['', ' '], undefined],
  ]
  for (const [name, values, format] of cases) {
    it(`reads ${name} as ${format}`, () => expect(readTimeFormat(values)).toBe(format))
  }
})

describe('timesOf', () => {
  const read = (format: Parameters<typeof timesOf>[0], zone: string, text: string): string => {
    const at = timesOf(format, zone).read(text, '')
    return typeof at === 'number' ? new Date(at).toISOString() : at.code
  }
  const cases: [string, Parameters<typeof read>, string][] = [
    ['UTC by default', ['wall', 'UTC', '2024-07-01 02:03:55'], '2024-07-01T02:03:55.000Z'],
    ['summer time of the zone', ['wall', 'Europe/Paris', '2024-07-01 02:03:55'], '2024-07-01T00:03:55.000Z'],
    ['winter time of the zone', ['wall', 'Europe/Paris', '2024-01-01 02:03:55'], '2024-01-01T01:03:55.000Z'],
    [
      'an offset before the zone',
      ['wall', 'Europe/Paris', '2024-01-01T02:00:00-0500'],
      '2024-01-01T07:00:00.000Z',
    ],
    ['fractions', ['offset', 'UTC', '2024-01-01T00:00:00.25+00:00'], '2024-01-01T00:00:00.250Z'],
    ['the end of the day', ['wall', 'UTC', '2024-01-01 24:00'], '2024-01-02T00:00:00.000Z'],
    ['day first', ['dmy', 'Europe/Berlin', '1.2.2024 00:30'], '2024-01-31T23:30:00.000Z'],
    ['seconds', ['epoch_s', 'UTC', '1709154000'], '2024-02-28T21:00:00.000Z'],
    ['no 30 February', ['wall', 'UTC', '2024-02-30 00:00:00'], 'at_invalid'],
    ['no 25 o’clock', ['wall', 'UTC', '2024-02-03 25:00:00'], 'at_invalid'],
    ['no milliseconds among seconds', ['epoch_s', 'UTC', '1709154000000'], 'at_invalid'],
    ['no hour that spring skips', ['wall', 'Europe/Paris', '2024-03-31 02:30:00'], 'at_invalid'],
  ]
  for (const [name, args, expected] of cases) it(`knows ${name}`, () => expect(read(...args)).toBe(expected))

  it('tells the two passes of the hour that autumn repeats by their order, for each series alone', () => {
    const { read: at, restartable } = timesOf('wall', 'Europe/Paris')
    const day = '2024-10-27'
    const utc = (text: string, series: string) =>
      new Date(at(`${day} ${text}`, series) as number).toISOString().slice(11, 16)
    expect(restartable()).toBe(true)
    const a = ['01:30', '02:00', '02:30', '02:00', '02:30', '03:00'].map((text) => utc(text, 'a'))
    expect(a).toEqual(['23:30', '00:00', '00:30', '01:00', '01:30', '02:00'])
    expect(['02:00', '02:00', '03:00'].map((text) => utc(text, 'b'))).toEqual(['00:00', '01:00', '02:00'])
    expect(restartable()).toBe(false)
    at('2024-10-29 00:00', 'a')
    expect(restartable()).toBe(true)
  })
})
