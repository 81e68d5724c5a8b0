/** From numbers to bytes. */

import { MISSING, TASK_BIN, TASK_TURN, job, shareFrom } from './job'
import { fork } from './threads'

/** Bins the staged column of numbers by the 255 edges (ascending, the unused ones infinite). */
export function binColumn(feature: u32): void {
  job().feature = feature
  fork(TASK_BIN)
}

export function binValues(member: i32): void {
  const j = job()
  const edges = <usize>j.edges
  const out = <usize>j.columns + <usize>j.feature * <usize>j.rows
  const to = shareFrom(member + 1, j.rows)
  for (let row = shareFrom(member, j.rows); row < to; row++) {
    const x = load<f64>(<usize>j.staging + (row << 3))
    let at = edges
    // number of edges below x, by halving: 128, 64, ... 1
    at += <usize>(load<f64>(at, 127 * 8) < x) << 10
    at += <usize>(load<f64>(at, 63 * 8) < x) << 9
    at += <usize>(load<f64>(at, 31 * 8) < x) << 8
    at += <usize>(load<f64>(at, 15 * 8) < x) << 7
    at += <usize>(load<f64>(at, 7 * 8) < x) << 6
    at += <usize>(load<f64>(at, 3 * 8) < x) << 5
    at += <usize>(load<f64>(at, 1 * 8) < x) << 4
    at += <usize>(load<f64>(at) < x) << 3
    store<u8>(out + row, x == x ? <u8>((at - edges) >> 3) : <u8>MISSING)
  }
}

/** Writes the bins by row from the bins by column; ends the use of the staged column. */
export function turn(): void {
  fork(TASK_TURN)
}

export function turnRows(member: i32): void {
  const j = job()
  const rows = <usize>j.rows
  const stride = <usize>j.stride
  const end = shareFrom(member + 1, rows)
  for (let first = shareFrom(member, rows); first < end; first += 128) {
    const last = min(first + 128, end)
    for (let feature: usize = 0; feature < <usize>j.width; feature++) {
      const column = <usize>j.columns + feature * rows
      let to = <usize>j.records + first * stride + <usize>j.words * 8 + feature
      for (let row = first; row < last; row++) {
        store<u8>(to, load<u8>(column + row))
        to += stride
      }
    }
  }
}
