import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('runs as many at a time as it has permits, in call order', async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  let running = 0
  let most = 0
  const task = (index: number) => async (): Promise<number> => {
    begun.push(index)
    most = Math.max(most, ++running)
    await setImmediate()
    running--
    return index
  }
  expect(await Promise.all([0, 1, 2, 3, 4].map((index) => turns.run(task(index))))).toEqual([0, 1, 2, 3, 4])
  expect(begun).toEqual([0, 1, 2, 3, 4])
  expect(most).toBe(2)
})

it('gives the turn on when a task fails', async () => {
  const turns = new Turns(1)
  const failing = turns.run(() => Promise.reject(new Error('no')))
  const next = turns.run(async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
