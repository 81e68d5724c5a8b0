import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvHeader, csvRow, guardCell, quoteCell, unguardCell } from './csv-text.ts'

test.each([
  ['=1+2', "'=1+2"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@energy:fridge', "'@energy:fridge"],
  ["'=1", "''=1"],
  ["it's", "it's"],
  ["'quoted'", "'quoted'"],
  ['fridge = cold', 'fridge = cold'],
])('guardCell: %s is written as %s', (text, guarded) => {
  expect(guardCell(text)).toBe(guarded)
  expect(unguardCell(guarded)).toBe(text)
})

test('guardCell: no text begins like a formula, and unguardCell gives every text back', () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^['=+\-@]{0,4}\w{0,3}$/))
  fc.assert(
    fc.property(texts, (text) => {
      expect(guardCell(text)).not.toMatch(/^[=+\-@\t\r]/)
      expect(unguardCell(guardCell(text))).toBe(text)
    }),
  )
})

test('quoteCell: quotes delimiters, quotes and line breaks', () => {
  expect(['a', 'a,b', 'a"b', 'a\nb'].map(quoteCell)).toEqual(['a', '"a,b"', '"a""b"', '"a\nb"'])
})

test('csvRow: writes times as ISO 8601, numbers bare, texts guarded, and nothing for what is absent', () => {
  const columns = [
    { name: 'at', kind: 'time' },
    { name: 'device', kind: 'text' },
    { name: 'value, W', kind: 'number' },
    { name: 'complete', kind: 'boolean' },
    { name: 'room', kind: 'text' },
  ] as const
  expect(csvHeader(columns)).toBe('at,device,"value, W",complete,room\n')
  expect(csvRow(columns, [0, '=x', -1.5, true, undefined])).toBe("1970-01-01T00:00:00.000Z,'=x,-1.5,true,\n")
  expect(csvRow(columns, [1, 'a,b', 1e-7, false, null])).toBe('1970-01-01T00:00:00.001Z,"a,b",1e-7,false,\n')
})
