import { expect, it } from 'vitest'
import { turnOfTheLoop } from '../../../test/virtual-clock.ts'
import type { ReadingStore } from '../../core/ports.ts'
import type { Need } from '../../domains/domain.ts'
import { createMemoryReadings } from '../../stores/readings/memory.ts'
import { readDatasets } from './dataset.ts'

const clock = { yield: turnOfTheLoop }

const need = (name: string, device: string, from: number, to: number, stepMs = 10): Need => {
  return { name, series: { site: 'home', device, metric: 'energy' }, from, to, stepMs }
}

async function storeOf(rows: Readonly<Record<string, readonly (readonly [at: number, value: number])[]>>) {
  const readings = createMemoryReadings()
  for (const [device, values] of Object.entries(rows))
    await readings.append(
      values.map(([at, value]) => ({ site: 'home', device, metric: 'energy', unit: 'kWh', value, at })),
    )
  const passes: number[] = []
  const scanMany: ReadingStore['scanMany'] = (series, from, to) => {
    passes.push(series.length)
    return readings.scanMany(series, from, to)
  }
  return { readings: { scanMany }, passes }
}

it('readDatasets: lays the rows of each target into its steps, unknown where there is none', async () => {
  const { readings, passes } = await storeOf({
    '@a': [
      [0, 1],
      [20, 3],
      [25, 4],
      [40, 9],
    ],
    '@b': [[10, 5]],
  })
  const wanted = [
    [need('energy', '@a', 0, 40), need('coverage', '@none', 0, 40)],
    [need('energy', '@b', 0, 40), need('by 20', '@b', 0, 40, 20)],
    [],
  ]
  const columns = (await readDatasets({ readings, clock }, wanted)).map((dataset) =>
    Object.entries(dataset).map(([name, { start, stepMs, values }]) => [name, start, stepMs, [...values]]),
  )
  const none = Number.NaN
  expect(columns).toEqual([
    [
      ['energy', 0, 10, [1, none, 4, none]],
      ['coverage', 0, 10, [none, none, none, none]],
    ],
    [
      ['energy', 0, 10, [none, 5, none, none]],
      ['by 20', 0, 20, [5, none]],
    ],
    [],
  ])
  expect(passes).toEqual([4])
})

it('readDatasets: reads in one pass what has the same span, and in another one what has not', async () => {
  const { readings, passes } = await storeOf({
    '@a': [
      [0, 1],
      [10, 2],
      [20, 3],
    ],
    '@b': [[10, 7]],
  })
  const wanted = [[need('x', '@a', 0, 20)], [need('x', '@b', 0, 20)], [need('x', '@a', 10, 30)]]
  const datasets = await readDatasets({ readings, clock }, wanted)
  expect(datasets.map(({ x }) => [...x!.values])).toEqual([
    [1, 2],
    [Number.NaN, 7],
    [2, 3],
  ])
  expect(passes).toEqual([2, 1])
})
