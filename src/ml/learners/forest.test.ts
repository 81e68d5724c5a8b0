import { expect, test } from 'vitest'
import { madeData, rowsOf } from './boosting/made-data.ts'
import { forest, forestClassifier } from './forest.ts'

const { frame, target } = madeData(2400, 8, 11)
const learnt = rowsOf(frame, 0, 1800)
const unseen = rowsOf(frame, 1800, 2400)
const few = { trees: 30 }

test('the forest tells unseen values from their mean, and never leaves the range of what it saw', () => {
  const said = forest.fit(learnt, target.slice(0, 1800), few).predict(unseen)
  const truth = target.slice(1800)
  const mean = truth.reduce((sum, value) => sum + value, 0) / 600
  const error = said.reduce((sum, value, k) => sum + (value - truth[k]!) ** 2, 0)
  expect(error).toBeLessThan(0.45 * truth.reduce((sum, value) => sum + (value - mean) ** 2, 0))
  expect(Math.max(...said)).toBeLessThan(Math.max(...target))
})

test('its shares of two classes are right more often than not by far', () => {
  const two = target.map((value) => (value > 1.5 ? 1 : 0))
  const said = forestClassifier.fit(learnt, two.slice(0, 1800), few).predict(unseen)
  expect(said.filter((p, k) => p > 0.5 === (two[1800 + k] === 1)).length / 600).toBeGreaterThan(0.8)
  expect(said.every((p) => p >= 0 && p <= 1)).toBe(true)
})

test('its shares of three classes add up to one', () => {
  const three = target.map((value) => (value > 3 ? 2 : value > 1 ? 1 : 0))
  const model = forestClassifier.fit(learnt, three.slice(0, 1800), few)
  const said = model.predict(unseen)
  expect(model.outputs).toBe(3)
  let hits = 0
  for (let row = 0; row < 600; row++) {
    const shares = said.subarray(row * 3, row * 3 + 3)
    expect(shares[0]! + shares[1]! + shares[2]!).toBeCloseTo(1, 12)
    if (shares.indexOf(Math.max(...shares)) === three[1800 + row]) hits++
  }
  expect(hits / 600).toBeGreaterThan(0.65)
})

test('the same seed gives the same bytes, compiled or plain, and JSON gives the same bits back', () => {
  const text = (how: object): string =>
    JSON.stringify(forest.fit(learnt, target.slice(0, 1800), { trees: 4, ...how }))
  expect(text({})).toBe(text({ plain: true }))
  expect(text({})).not.toBe(text({ seed: 2 }))
  const model = forest.fit(learnt, target.slice(0, 1800), few)
  expect(forest.load(JSON.parse(JSON.stringify(model))).predict(unseen)).toEqual(model.predict(unseen))
})

test('rows of weight zero are as good as none', () => {
  const odd = target.slice(0, 1800).map((value, k) => (k % 2 === 0 ? value : 1e6))
  const sampleWeight = odd.map((_, k) => (k % 2 === 0 ? 1 : 0))
  const said = forest.fit(learnt, odd, { ...few, sampleWeight }).predict(unseen)
  expect(Math.max(...said)).toBeLessThan(100)
})
