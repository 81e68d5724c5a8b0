import { expect, it } from 'vitest'
import { compareSeries, SeriesMap, seriesId } from './series.ts'

const key = (site: string, device: string, metric: string) => ({ site, device, metric })

it('tells series apart whose names join to the same text', () => {
  expect(seriesId(key('a', 'bc', 'd'))).not.toBe(seriesId(key('ab', 'c', 'd')))
})

it('counts, replaces, deletes and forgets a site', () => {
  const map = new SeriesMap<number>()
  map.set(key('a', 'd', 'm'), 1)
  map.set(key('a', 'd', 'm'), 2)
  map.set(key('a', 'e', 'm'), 3)
  map.set(key('b', 'd', '__proto__'), 4)
  expect([map.size, map.get(key('a', 'd', 'm')), [...map.values()]]).toEqual([3, 2, [2, 3, 4]])
  expect([map.delete(key('a', 'd', 'm')), map.delete(key('a', 'd', 'm')), map.size]).toEqual([true, false, 2])
  map.removeSite('a')
  expect([map.size, [...map.values()]]).toEqual([1, [4]])
})

it('orders by site, device, metric', () => {
  const list = [key('b', 'a', 'a'), key('a', 'b', 'a'), key('a', 'a', 'b'), key('a', 'a', 'a')]
  expect(list.sort(compareSeries).map(seriesId)).toEqual([...list].map(seriesId).sort())
})
