/** Counting histograms. */

import { BATCHES, BATCH_ROWS, GROUP_BYTES, TASK_PAIR, TASK_ROOT, TASK_SEARCH, job, seat, shareFrom } from './job'
import { histogramAt } from './memory'
import { searchShare } from './splits'
import { fork } from './threads'

/** Tells what node sits in seat 0 or 1. */
export function sit(
  which: usize,
  slot: u32,
  open: u32,
  from: u32,
  to: u32,
  gradient: f64,
  hessian: f64,
  rows: f64,
  parent: f64,
  least: f64,
): void {
  const s = seat(which)
  s.slot = slot
  s.open = open
  s.from = from
  s.to = to
  s.gradient = gradient
  s.hessian = hessian
  s.rows = rows
  s.parent = parent
  s.least = least
}

export function rules(l2: f64, minChildRows: f64, minChildWeight: f64): void {
  job().l2 = l2
  job().minChildRows = minChildRows
  job().minChildWeight = minChildWeight
}

/** Counts the histogram of the node in seat 0. */
export function countRoot(): void {
  fork(TASK_ROOT)
}

/** Counts the node in seat 0, takes it off the histogram in seat 1, and looks for both best splits. */
export function openPair(): void {
  fork(TASK_PAIR)
}

/** Looks for the best split of the node in seat 0. */
export function searchRoot(): void {
  fork(TASK_SEARCH)
}

export function openOne(member: i32): void {
  const groups = <usize>job().padded >> 2
  count(member, 0, shareFrom(member, groups), shareFrom(member + 1, groups))
}

export function openBoth(member: i32): void {
  const groups = <usize>job().padded >> 2
  const first = shareFrom(member, groups)
  const last = shareFrom(member + 1, groups)
  count(member, 0, first, last)
  subtract(first, last)
  if (seat(0).open) searchShare(member, 0)
  if (seat(1).open) searchShare(member, 1)
}

export function count(member: i32, which: usize, first: usize, last: usize): void {
  const j = job()
  const s = seat(which)
  const groupBytes = GROUP_BYTES * <usize>j.words
  const histogram = <usize>histogramAt(s.slot) + first * groupBytes
  memory.fill(histogram, 0, (last - first) * groupBytes)
  const batch = BATCHES + ((<usize>member) << 6)
  for (let from = s.from; from < s.to; from += BATCH_ROWS) {
    const end = gather(batch, from, min(from + BATCH_ROWS, s.to))
    if (j.words == 1) countWords(histogram, batch, end, first, last)
    else countPairs(histogram, batch, end, first, last)
  }
}

/**
 * Writes where the records of order[from, to) lie to the batch, and touches each: the waits for memory of a batch then
 * overlap, while between two counted rows there is too much to do for the processor to look that far ahead.
 */
function gather(batch: usize, from: u32, to: u32): usize {
  const j = job()
  const records = <usize>j.records
  const stride = <usize>j.stride
  const end = <usize>j.order + (<usize>to << 2)
  let out = batch
  let touched: u64 = 0
  for (let at = <usize>j.order + (<usize>from << 2); at < end; at += 4) {
    const record = records + <usize>load<u32>(at) * stride
    touched ^= load<u64>(record)
    store<u32>(out, <u32>record)
    out += 4
  }
  store<u64>(batch, touched, 2048)
  return out
}

function countWords(histogram: usize, batch: usize, end: usize, first: usize, last: usize): void {
  const bins: usize = 8 + (first << 2)
  const bytes = (last - first) * GROUP_BYTES
  const fullBytes = bytes & ~(2 * GROUP_BYTES - 1)
  for (let at = batch; at < end; at += 4) {
    const record = <usize>load<u32>(at)
    const word = load<i64>(record)
    let p = record + bins
    let h = histogram
    let a: usize
    const full = histogram + fullBytes
    for (; h < full; h += 2 * GROUP_BYTES) {
      const b = load<u64>(p)
      p += 8
      a = h + <usize>((b & 255) << 3)
      store<i64>(a, load<i64>(a) + word)
      a = h + <usize>(((b >> 8) & 255) << 3)
      store<i64>(a, load<i64>(a, 2048) + word, 2048)
      a = h + <usize>(((b >> 16) & 255) << 3)
      store<i64>(a, load<i64>(a, 4096) + word, 4096)
      a = h + <usize>(((b >> 24) & 255) << 3)
      store<i64>(a, load<i64>(a, 6144) + word, 6144)
      a = h + <usize>(((b >> 32) & 255) << 3)
      store<i64>(a, load<i64>(a, 8192) + word, 8192)
      a = h + <usize>(((b >> 40) & 255) << 3)
      store<i64>(a, load<i64>(a, 10240) + word, 10240)
      a = h + <usize>(((b >> 48) & 255) << 3)
      store<i64>(a, load<i64>(a, 12288) + word, 12288)
      a = h + <usize>((b >> 56) << 3)
      store<i64>(a, load<i64>(a, 14336) + word, 14336)
    }
    if (fullBytes != bytes) {
      const b = load<u32>(p)
      a = h + <usize>((b & 255) << 3)
      store<i64>(a, load<i64>(a) + word)
      a = h + <usize>(((b >> 8) & 255) << 3)
      store<i64>(a, load<i64>(a, 2048) + word, 2048)
      a = h + <usize>(((b >> 16) & 255) << 3)
      store<i64>(a, load<i64>(a, 4096) + word, 4096)
      a = h + <usize>((b >> 24) << 3)
      store<i64>(a, load<i64>(a, 6144) + word, 6144)
    }
  }
}

function countPairs(histogram: usize, batch: usize, end: usize, first: usize, last: usize): void {
  const bins: usize = 16 + (first << 2)
  const full = histogram + (last - first) * GROUP_BYTES * 2
  for (let at = batch; at < end; at += 4) {
    const record = <usize>load<u32>(at)
    const pair = v128.load(record)
    let p = record + bins
    let a: usize
    for (let h = histogram; h < full; h += 2 * GROUP_BYTES) {
      const b = load<u32>(p)
      p += 4
      a = h + <usize>((b & 255) << 4)
      v128.store(a, i64x2.add(v128.load(a), pair))
      a = h + <usize>(((b >> 8) & 255) << 4)
      v128.store(a, i64x2.add(v128.load(a, 4096), pair), 4096)
      a = h + <usize>(((b >> 16) & 255) << 4)
      v128.store(a, i64x2.add(v128.load(a, 8192), pair), 8192)
      a = h + <usize>((b >> 24) << 4)
      v128.store(a, i64x2.add(v128.load(a, 12288), pair), 12288)
    }
  }
}

/** Seat 1 holds the parent's histogram: the sibling's share is taken off it. */
function subtract(first: usize, last: usize): void {
  const bytes = GROUP_BYTES * <usize>job().words
  const less = <usize>histogramAt(seat(0).slot)
  const all = <usize>histogramAt(seat(1).slot)
  for (let at = first * bytes; at < last * bytes; at += 32) {
    v128.store(all + at, i64x2.sub(v128.load(all + at), v128.load(less + at)))
    v128.store(all + at, i64x2.sub(v128.load(all + at, 16), v128.load(less + at, 16)), 16)
  }
}
