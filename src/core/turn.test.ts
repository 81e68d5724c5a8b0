import { expect, it } from 'vitest'
import { createTurn, mergeTurn } from './turn.ts'

it('mergeTurn: adds more readings than a function takes arguments', () => {
  const reading = { site: 'home', device: 'd', metric: 'power', unit: 'W', value: 1, at: 0 }
  const replayed = createTurn()
  for (let row = 0; row < 500_000; row++) replayed.readings.push(reading)
  const turn = createTurn()
  mergeTurn(turn, replayed)
  expect(turn.readings).toHaveLength(500_000)
})
