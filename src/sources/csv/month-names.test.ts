import { expect, test } from 'vitest'
import { withMonthNumber } from './month-names.ts'

test.each([
  ['14-Jul-2024 13:05', '2024-7-14 13:05'],
  ['14 July 2024', '2024-7-14'],
  ['14Jul2024', '2024-7-14'],
  ['14-Jul-24 1.05.00 PM', '2024-7-14 1:05:00 PM'],
  ['Jul 14, 2024, 1:05 PM', '2024-7-14 1:05 PM'],
  ['July 14th, 2024', '2024-7-14'],
  ['2024-Jul-14 13:05', '2024-7-14 13:05'],
  ['14/Jul/2024:13:05:00 +0200', '2024-7-14 13:05:00 +0200'],
  ['Sun, 14 Jul 2024 13:05:00 GMT', '2024-7-14 13:05:00 GMT'],
  ['Sun Jul 14 2024 13:05:00 GMT+0200 (CEST)', '2024-7-14 13:05:00+0200'],
  ['Sun Jul 14 13:05:00 2024', '2024-7-14 13:05:00'],
  ['Sonntag, 14. Juli 2024 um 13:05 Uhr', '2024-7-14 13:05'],
  ['14. Mär. 2024', '2024-3-14'],
  ['14 juil. 2024 13h05', '2024-7-14 13:05'],
  ['1er août 2024', '2024-8-1'],
  ['14 giu 2024', '2024-6-14'],
  ['14 de julio de 2024 13:05', '2024-7-14 13:05'],
  ['14 mei 2024', '2024-5-14'],
])('withMonthNumber: %s is %s', (text, iso) => expect(withMonthNumber(text)).toBe(iso))

test.each(['sensor 5 Mar 2024', '14 jui 2024', 'room 14 2024', 'May 14', '2024-07-14', 'March'])(
  'withMonthNumber: %s is no such date',
  (text) => expect(withMonthNumber(text)).toBeUndefined(),
)
