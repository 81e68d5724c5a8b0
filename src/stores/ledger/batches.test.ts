import { expect, it } from 'vitest'
import { batches, rowsPerStatement } from './batches.ts'

const key = (text: string): string => text

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

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
])('$name', async ({ rows, gives }) => {
  expect(await all(batches(rows, key))).toStrictEqual(gives)
})

it('cuts a long list into statements of a bounded number of rows, in order, and lets others run in between', async () => {
  const rows = Array.from({ length: 2 * rowsPerStatement + 1 }, (_, index) => String(index))
  let others = 0
  setImmediate(() => others++)
  const cut = await all(batches(rows, key))
  expect(others).toBe(1)
  expect(cut.map(({ length }) => length)).toStrictEqual([rowsPerStatement, rowsPerStatement, 1])
  expect(cut.flat()).toStrictEqual(rows)
})
