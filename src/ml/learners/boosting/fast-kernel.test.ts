import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileKernel, moduleText } from '../../../../scripts/build-kernels.mjs'
import { type NodeTeam, startNodeTeam } from '../../../platform/node-team.ts'
import type { Frame } from '../../frame.ts'
import { boosting, boostingClassifier } from '../boosting.ts'
import { madeData } from './made-data.ts'
import { kernelProgram } from './program.ts'

const made = madeData(6000, 10, 3)
const columns = made.frame.columns.map((column, k) => {
  if (k === 2) return column.map((value) => Math.floor(Math.abs(value) * 15))
  return k % 3 === 0 ? column.map((value, row) => (row % 11 === k ? Number.NaN : value)) : column
})
const numbers: Frame = { ...made.frame, columns }
const mixed: Frame = { ...numbers, categorical: ['x2'] }
const sampleWeight = made.target.map((_, row) => (row * 7) % 4)
const classes = made.target.map((value) => (value > 3 ? 2 : value > 1 ? 1 : 0))
const few = { rounds: 8 }

let team: NodeTeam
beforeAll(async () => {
  team = await startNodeTeam(3, kernelProgram)
})
afterAll(() => team.stop())

describe('the compiled kernel, alone and shared by three threads, grows the trees of the plain loops bit for bit', () => {
  test.each([
    ['numbers with gaps', numbers, {}],
    ['categories', mixed, {}],
    ['absolute loss', numbers, { loss: 'absolute' }],
    ['a quantile', mixed, { loss: 'quantile', alpha: 0.8 }],
    ['weights', numbers, { sampleWeight, l2: 1 }],
    [
      'samples and a watched tail',
      mixed,
      { subsample: 0.6, columnSample: 0.5, earlyStopping: { share: 0.2, rounds: 3 } },
    ],
    ['monotone', mixed, { monotone: { x7: 1, x3: -1 } }],
    ['few bins, few levels', numbers, { maxBins: 7, maxDepth: 3 }],
    ['no limit of leaves', numbers, { maxLeaves: 0, minChildRows: 3, rounds: 2 }],
  ] as const)('%s', (_, frame, options) => {
    const text = (how: object): string =>
      JSON.stringify(boosting.fit(frame, made.target, { ...few, ...options, ...how }))
    const plain = text({ plain: true })
    expect(text({})).toBe(plain)
    expect(text({ team })).toBe(plain)
  })

  test.each([
    ['two classes', classes.map((value) => Math.min(value, 1)), {}],
    ['three weighted classes', classes, { sampleWeight }],
  ] as const)('%s', (_, target, options) => {
    const text = (how: object): string =>
      JSON.stringify(boostingClassifier.fit(mixed, target, { ...few, ...options, ...how }))
    const plain = text({ plain: true })
    expect(text({})).toBe(plain)
    expect(text({ team })).toBe(plain)
  })
})

test('a thread that has ended is noticed within seconds', { timeout: 60_000 }, async () => {
  const short = await startNodeTeam(2, kernelProgram)
  await short.stop()
  expect(() => boosting.fit(numbers, made.target, { ...few, team: short })).toThrow(WebAssembly.RuntimeError)
})

test('the bytes in the tree are those that the source compiles to', async () => {
  const written = readFileSync(new URL('./kernel-wasm.ts', import.meta.url), 'utf8')
  expect(moduleText(await compileKernel())).toBe(written)
})
