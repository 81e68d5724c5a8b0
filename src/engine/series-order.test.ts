import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareSeries } from '../core/series.ts'
import { SeriesOrder } from './series-order.ts'

it('sorts as a plain sort does, whatever it was given before', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const lists = fc.array(fc.array(fc.record({ site: name, device: name, metric: name }), { maxLength: 12 }), {
    minLength: 2,
    maxLength: 5,
  })
  fc.assert(
    fc.property(lists, (given) => {
      const order = new SeriesOrder()
      for (const list of given) {
        expect(order.sort(list)).toEqual([...list].sort(compareSeries))
        expect(order.sort(list)).toEqual([...list].sort(compareSeries))
      }
    }),
  )
})
