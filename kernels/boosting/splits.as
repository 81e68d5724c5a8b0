/** Looking for the best split in a histogram. */

import { turn } from './bins'
import { MISSING, RESULTS, job, seat, shareFrom } from './job'
import { histogramAt } from './memory'
import { step } from './prediction'

export function searchShare(member: i32, which: usize): void {
  const groups = <usize>job().padded >> 2
  const last = min(shareFrom(member + 1, groups) << 2, <usize>job().width)
  const result = RESULTS + ((<usize>member << 1) + which) * 64
  store<f64>(result, seat(which).least)
  store<f64>(result, -1, 8)
  for (let feature = shareFrom(member, groups) << 2; feature < last; feature++) {
    if (load<u8>(<usize>seat(which).mask + feature) == 0) continue
    if (job().words == 1) scan<bool>(which, feature, result)
    else scan<i32>(which, feature, result)
  }
}

/** Every border between the bins of a feature. T is i32 where the entries hold hessians, bool where not. */
function scan<T>(which: usize, feature: usize, result: usize): void {
  const j = job()
  const s = seat(which)
  const bits = <i64>j.countBits
  const mask = (<i64>1 << bits) - 1
  const step: usize = sizeof<T>() == 4 ? 16 : 8
  const start = <usize>histogramAt(s.slot) + feature * 256 * step
  const end = start + <usize>load<u16>(<usize>j.used + (feature << 1)) * step
  const missing = load<i64>(start + MISSING * step)
  const missingHessian = sizeof<T>() == 4 ? load<i64>(start + MISSING * step, 8) : 0
  const allRows = s.rows
  const minRows = j.minChildRows
  const minWeight = j.minChildWeight
  const l2 = j.l2
  const l2Pair = f64x2.splat(l2)
  const parent = s.parent
  const gradients = s.gradient
  const hessians = s.hessian
  let best = load<f64>(result)
  let word: i64 = 0
  let second: i64 = 0
  for (let at = start; at < end; at += step) {
    const here = load<i64>(at)
    if ((here & mask) == 0) continue
    word += here
    if (sizeof<T>() == 4) second += load<i64>(at, 8)
    // the second turn is with the missing rows on the left
    let w = word
    let h = second
    for (let turn = 0; turn < 2; turn++) {
      const rows = <f64>(w & mask)
      if (rows >= minRows && allRows - rows >= minRows) {
        const gradient = <f64>(w >> bits)
        const hessian = sizeof<T>() == 4 ? <f64>h : rows
        const right = hessians - hessian
        if (hessian >= minWeight && right >= minWeight) {
          const g = f64x2.replace_lane(f64x2.splat(gradient), 1, gradients - gradient)
          const weight = f64x2.add(f64x2.replace_lane(f64x2.splat(hessian), 1, right), l2Pair)
          const score = f64x2.div(f64x2.mul(g, g), weight)
          const gain = f64x2.extract_lane(score, 0) + f64x2.extract_lane(score, 1) - parent
          if (gain > best) {
            best = gain
            const left = missing == 0 ? rows * 2 >= allRows : turn == 1
            keep(result, gain, feature, (at - start) / step, left, gradient, hessian, rows)
          }
        }
      }
      if (missing == 0) break
      w += missing
      if (sizeof<T>() == 4) h += missingHessian
    }
  }
}

function keep(
  result: usize,
  gain: f64,
  feature: usize,
  bin: usize,
  missingLeft: bool,
  gradient: f64,
  hessian: f64,
  rows: f64,
): void {
  store<f64>(result, gain)
  store<f64>(result, <f64>feature, 8)
  store<f64>(result, <f64>bin, 16)
  store<f64>(result, missingLeft ? 1 : 0, 24)
  store<f64>(result, gradient, 32)
  store<f64>(result, hessian, 40)
  store<f64>(result, rows, 48)
}
