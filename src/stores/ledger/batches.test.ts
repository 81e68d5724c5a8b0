import { expect, it } from 'vitest'
import { batches, rowsPerStatement } from './batches.ts'

const key = (text: string): string => text

it.each([
  { name: 'nothing gives no statement', rows: [], gives: [] },
  { name: 'different keys share a statement', rows: ['a', 'b'], gives: [['a', 'b']] },
  {
    name: 'a repeated key begins the next one',
    rows: ['a', 'b', 'a', 'b', 'c'],
    gives: [
      ['a', 'b'],
      ['a', 'b', 'c'],
    ],
  },
  { name: 'a key may come back in every statement', rows: ['a', 'a', 'a'], gives: [['a'], ['a'], ['a']] },
])('$name', ({ rows, gives }) => {
  expect([...batches(rows, key)]).toStrictEqual(gives)
})

it('cuts a long list into statements of a bounded number of rows, in order', () => {
  const rows = Array.from({ length: 2 * rowsPerStatement + 1 }, (_, index) => String(index))
  const cut = [...batches(rows, key)]
  expect(cut.map(({ length }) => length)).toStrictEqual([rowsPerStatement, rowsPerStatement, 1])
  expect(cut.flat()).toStrictEqual(rows)
})
