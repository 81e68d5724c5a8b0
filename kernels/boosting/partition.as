/** Moving the rows of a node to the sides they go to. */

import { PARTIALS, SIDES, TASK_JOIN, TASK_PART, job, shareFrom } from './job'
import { fork } from './threads'

/** Moves the rows of order[from, to) that go left by SIDES to the front, stable. Gives the border. */
export function partition(from: u32, to: u32, feature: u32): u32 {
  const j = job()
  j.from = from
  j.to = to
  j.feature = feature
  if (j.threads == 1 || to - from < 4096) return partHere(from, to)
  fork(TASK_PART)
  fork(TASK_JOIN)
  let left: u32 = 0
  for (let k = 0; k < j.threads; k++) left += load<u32>(PARTIALS + (<usize>k << 6))
  return from + left
}

function partHere(from: usize, to: usize): u32 {
  const j = job()
  const order = <usize>j.order
  const column = <usize>j.columns + <usize>j.feature * <usize>j.rows
  let left = order + (from << 2)
  let right = <usize>j.spareRight
  const end = order + (to << 2)
  for (let at = left; at < end; at += 4) {
    const row = load<u32>(at)
    const goes = <usize>load<u8>(SIDES + <usize>load<u8>(column + row)) << 2
    store<u32>(left, row)
    store<u32>(right, row)
    left += goes
    right += 4 - goes
  }
  memory.copy(left, j.spareRight, right - <usize>j.spareRight)
  return <u32>((left - order) >> 2)
}

/** One piece of the range: its rows that go left, and its rows that go right, in their order. */
export function part(member: i32): void {
  const j = job()
  const column = <usize>j.columns + <usize>j.feature * <usize>j.rows
  const length = <usize>(j.to - j.from)
  const first = (<usize>j.from + shareFrom(member, length)) << 2
  const last = (<usize>j.from + shareFrom(member + 1, length)) << 2
  let left = <usize>j.spareLeft + first
  let right = <usize>j.spareRight + first
  for (let at = first; at < last; at += 4) {
    const row = load<u32>(<usize>j.order + at)
    const goes = <usize>load<u8>(SIDES + <usize>load<u8>(column + row)) << 2
    store<u32>(left, row)
    store<u32>(right, row)
    left += goes
    right += 4 - goes
  }
  store<u32>(PARTIALS + (<usize>member << 6), <u32>((left - <usize>j.spareLeft - first) >> 2))
}

/** Copies the pieces to their places: all that go left, in order of the pieces, then all that go right. */
export function joinParts(member: i32): void {
  const j = job()
  const length = <usize>(j.to - j.from)
  let lefts: usize = 0
  let before: usize = 0
  for (let k = 0; k < j.threads; k++) {
    const left = <usize>load<u32>(PARTIALS + (<usize>k << 6))
    lefts += left
    if (k < member) before += left
  }
  const first = shareFrom(member, length)
  const mine = <usize>load<u32>(PARTIALS + (<usize>member << 6))
  const others = shareFrom(member + 1, length) - first - mine
  const source = (<usize>j.from + first) << 2
  memory.copy(<usize>j.order + ((<usize>j.from + before) << 2), <usize>j.spareLeft + source, mine << 2)
  const to = <usize>j.from + lefts + (first - before)
  memory.copy(<usize>j.order + (to << 2), <usize>j.spareRight + source, others << 2)
}
