import { describe, expect, test } from 'vitest'
import { ageText, spanText, timeText } from './time.ts'
import { changeText, formatNumber, formatScore, valueText } from './value.ts'
import { versionText, withVersions } from './version.ts'
import { idName, inputName, isState, metricName } from './words.ts'

const at = Date.UTC(2026, 5, 1, 10, 30)
const zone = 'Europe/Berlin'

describe('ages', () => {
  test.each([
    [0, 'now'],
    [9_999, 'now'],
    [25_000, '20 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [47 * 3_600_000, '47 h'],
    [3 * 86_400_000, '3 d'],
  ])('%d ms ago reads "%s"', (age, text) => {
    expect(ageText(at - age, at, zone)).toBe(text)
  })

  test('a reading from the future of this clock is now, not a negative age', () => {
    expect(ageText(at + 5000, at, zone)).toBe('now')
  })

  test('beyond two months an age is a date', () => {
    expect(ageText(Date.UTC(2010, 10, 26, 20), at, zone)).toContain('2010')
  })

  test('times are told in the zone of the site', () => {
    expect(timeText(at, zone, 'clock')).toBe('12:30')
    expect(timeText(at, 'Asia/Kolkata', 'clock')).toBe('16:00')
  })

  test('a span takes the unit that fits its length', () => {
    expect(spanText(0, 90 * 60_000)).toBe('90 minutes')
    expect(spanText(0, 500 * 86_400_000)).toBe('500 days')
  })
})

/** A number as this machine writes it: tests hold in every locale. */
const n = (value: number, digits: number): string =>
  new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    value,
  )

describe('values', () => {
  test.each([
    [21.456, 'degC', 'temperature', `${n(21.5, 1)}\u00a0°C`],
    [1, 'state', 'motion', 'Motion'],
    [0, 'state', 'door', 'Closed'],
    [1, 'state', 'front_lamp', 'On'],
    [0, 'state', 'available', 'Offline'],
    [0.97, '1', 'power_factor', n(0.97, 2)],
    [12.3, 'm3', 'water_total', `${n(12.3, 2)}\u00a0m³`],
    [0.5, 'state', 'motion', n(0.5, 3)],
    [-0, 'W', 'power', `${n(0, 1)}\u00a0W`],
    [-1125, 'W', 'battery_power', `\u2212${n(1125, 0)}\u00a0W`],
  ])('%d %s of %s reads "%s"', (value, unit, metric, text) => {
    expect(valueText(value, unit, metric)).toBe(text)
  })

  test('the digits of a unit stay the same, so that a column stands still', () => {
    expect(formatNumber(20, 'degC')).toHaveLength(formatNumber(19.96, 'degC').length)
  })

  test.each([
    [0.01234, n(0.0123, 4)],
    [1.234, n(1.23, 2)],
    [1234.5, n(1235, 0)],
    [0, n(0, 2)],
    [3e-17, n(0, 2)],
    [0.000001, n(0.000001, 6)],
  ])('a score of %d reads "%s"', (score, text) => {
    expect(formatScore(score)).toBe(text)
  })
})

test.each([
  [-0.056, `\u2212${n(5.6, 1)}\u00a0%`],
  [0.25, `+${n(25, 1)}\u00a0%`],
  [0, `\u00b1${n(0, 1)}\u00a0%`],
])('a change of %d reads "%s"', (change, text) => {
  expect(changeText(change)).toBe(text)
})

describe('names', () => {
  test.each([
    ['washing_machine', 'Washing machine'],
    ['ev-charger', 'EV charger'],
    ['hall-pir', 'Hall PIR'],
    ['t1', 't1'],
    ['Sub_metering_1', 'Sub metering 1'],
    ['0x00158d', '0x00158d'],
  ])('the id %s is shown as %s', (id, name) => {
    expect(idName(id)).toBe(name)
  })

  test('metrics that have a usual name bear it', () => {
    expect([metricName('pm2_5'), metricName('dew_point')]).toEqual(['PM2.5', 'Dew point'])
  })

  test.each([
    ['lag_24h', 'the same hour 24 h before'],
    ['last_2h', '2 h before the forecast'],
    ['mean_168h', 'mean of the last 168 h'],
    ['slot_mean_28d', 'mean of the hour over 28 days'],
    ['weekend', 'weekend'],
  ])('the input %s of a model is called "%s"', (feature, name) => {
    expect(inputName(feature)).toBe(name)
  })

  test('a state is known by its unit or by its metric', () => {
    expect([isState('lamp', 'state'), isState('door', 'raw'), isState('power', 'W')]).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('a version', () => {
  test('is told by the moment that it is named after, in the zone of the site', () => {
    expect(versionText('20260601T103000Z', zone)).toContain('12:30')
    expect(versionText('v1', zone)).toBe('v1')
  })

  test('is told so inside a sentence too', () => {
    const moment = versionText('20260601T103000Z', zone)
    expect(withVersions('Replaced by 20260601T103000Z.', zone)).toBe(`Replaced by the version of ${moment}.`)
    const back = 'Now the version before it (20260601T103000Z) speaks.'
    expect(withVersions(back, zone)).toBe(`Now the version before it (${moment}) speaks.`)
    const refused = 'The model home/fridge/energy 20260601T103000Z is refused.'
    expect(withVersions(refused, zone)).toBe(`The model home/fridge/energy ${moment} is refused.`)
    expect(withVersions('It is worse.', zone)).toBe('It is worse.')
  })
})
