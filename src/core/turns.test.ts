import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { KeyedTurns, Turns } from './turns.ts'

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

describe('KeyedTurns', () => {
  it('runs tasks of one key in call order and tasks of other keys beside them', async () => {
    const turns = new KeyedTurns()
    const story: string[] = []
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const first = turns.run('a', async () => {
      await held
      story.push('a1')
    })
    const second = turns.run('a', async () => void story.push('a2'))
    await turns.run('b', async () => void story.push('b1'))
    expect(story).toEqual(['b1'])
    release()
    await Promise.all([first, second])
    expect(story).toEqual(['b1', 'a1', 'a2'])
  })

  it('goes on after a task that rejects', async () => {
    const turns = new KeyedTurns()
    await expect(turns.run('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await turns.run('a', async () => 1)).toBe(1)
  })
})
