import { expect, it } from 'vitest'
import { Copies } from './subscriptions.ts'

const [one, two] = [Buffer.from('1'), Buffer.from('2')]

it('the copy of a message is found only where several filters fit, right after it', () => {
  const copies = new Copies()
  copies.use(['a/+', '+/b', 'c/#'])
  const heard = [
    ['a/b', one, 0],
    ['a/b', one, 5],
    ['a/b', two, 6],
    ['a/b', one, 7],
    ['a/b', one, 200],
    ['a/x', one, 201],
    ['a/x', one, 202],
  ] as const
  expect(heard.map(([topic, payload, now]) => copies.isCopy(topic, payload, now))).toEqual([
    ...[false, true, false, false, false],
    ...[false, false],
  ])
})
