import { expect, test } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../random.ts'
import { sharedRows, type TrainingRows, trainingRows } from './boosted.ts'
import { beginningOf, prepare, type Series } from './series.ts'

const random = createRandom(3)
const values = Float64Array.from({ length: 40 * 24 }, (_, hour) =>
  hour % 97 === 5 ? Number.NaN : Math.sin(hour / 4) + random.normal(),
)
// the clocks change on 25 October 2026, in the middle of it
const times = { startMs: Date.UTC(2026, 9, 5), stepMs: hourMs, zone: 'Europe/Berlin' }
const thinning = { leadsPerOrigin: 5, rowsMax: 100_000, warmUp: 1 }
const seriesOf = (of: Float64Array): Series => ({ id: 'fridge', values: of, times })
const plain = ({ frame, levels, targets, scale }: TrainingRows): string[] => [
  ...[...frame.names, ...levels().names],
  ...[...frame.columns, ...levels().columns, ...Object.values(targets), scale].map((column) => column.join()),
]

test.each([0, 2, 5, 33])(
  'rows of the beginning of a series, %i hours after a midnight, are those of it alone',
  (hour) => {
    const whole = prepare(seriesOf(values), 24, 24)
    const alone = prepare(seriesOf(values.slice(0, 20 * 24 + hour)), 24, 24)
    const beginning = beginningOf(whole, alone)
    expect(beginning.whole).toBe(whole)
    const rowsOf = sharedRows(thinning)
    expect(plain(rowsOf([beginning], 24))).toEqual(plain(trainingRows([alone], 24, thinning)))
    expect(plain(rowsOf([whole], 24))).toEqual(plain(trainingRows([whole], 24, thinning)))
  },
)

test('a series that was believed otherwise then is no beginning, nor one that ends in a repeated hour', () => {
  const whole = prepare(seriesOf(values), 24, 24)
  const other = values.slice(0, 500)
  other[77]! += 1
  expect(beginningOf(whole, prepare(seriesOf(other), 24, 24)).whole).toBeUndefined()
  const untilRepeated = values.slice(0, 20 * 24 + 1)
  expect(beginningOf(whole, prepare(seriesOf(untilRepeated), 24, 24)).whole).toBeUndefined()
})
