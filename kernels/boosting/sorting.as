/** Sorting numbers. */

import { count } from './histograms'
import { HEAP } from './job'

/**
 * Sorts `count` numbers (no NaN) at HEAP ascending by their bits, eleven at a time from the lowest (radix sort), with as
 * much room behind them; gives where the sorted ones lie. Not for use during a fit.
 */
export function sortNumbers(count: u32): u32 {
  let from: usize = HEAP
  let to: usize = HEAP + ((<usize>count) << 3)
  const places: usize = HEAP + ((<usize>count) << 4)
  for (let at = from; at < to; at += 8) {
    // as whole numbers, negative ones are ordered the wrong way round and behind positive ones
    const bits = load<i64>(at)
    store<i64>(at, bits ^ ((bits >> 63) | i64.MIN_VALUE))
  }
  for (let shift: u64 = 0; shift < 64; shift += 11) {
    memory.fill(places, 0, 2048 * 4)
    const end = from + ((<usize>count) << 3)
    for (let at = from; at < end; at += 8) {
      const place = places + (<usize>((load<u64>(at) >> shift) & 2047) << 2)
      store<u32>(place, load<u32>(place) + 1)
    }
    let sum = <u32>to
    for (let place = places; place < places + 2048 * 4; place += 4) {
      const here = load<u32>(place)
      store<u32>(place, sum)
      sum += here << 3
    }
    for (let at = from; at < end; at += 8) {
      const bits = load<u64>(at)
      const place = places + (<usize>((bits >> shift) & 2047) << 2)
      const free = load<u32>(place)
      store<u64>(free, bits)
      store<u32>(place, free + 8)
    }
    const other = from
    from = to
    to = other
  }
  const end = from + ((<usize>count) << 3)
  for (let at = from; at < end; at += 8) {
    const bits = load<i64>(at)
    store<i64>(at, bits ^ ((~bits >> 63) | i64.MIN_VALUE))
  }
  return <u32>from
}
