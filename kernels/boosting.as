/**
 * The inner loops of boosting in AssemblyScript, compiled to WebAssembly by scripts/build-kernels.mjs. What they compute
 * is written plainly in src/ml/learners/boosting/plain-kernel.ts, and a test holds them to the same bits.
 *
 * All threads run this program on one shared memory. The first one calls the exported functions; the others are inside
 * `serve` and do their share of each task. A histogram entry is one 64-bit word: the sum of whole gradients above, the
 * number of rows in the lowest `countBits`; with hessians a second word follows. Integer sums do not depend on order.
 */

// Synchronisation, each word on a cache line of its own
const EPOCH: usize = 64
const SLEEPERS: usize = 128
const DONE: usize = 192
const WAITING: usize = 256
const STOP: usize = 320

/** How often a word is looked at before its reader sleeps: some tens of microseconds. */
const PATIENCE: i32 = 20000

const JOB: usize = 512
const NODES: usize = 1024
/** Best splits: eight numbers for each node (2) of each thread. */
const RESULTS: usize = 2048
/** One f64 for each thread, a cache line apart. */
const PARTIALS: usize = 8192
/** Addresses of the rows that a thread counts next, 64 bytes for each thread; 2,048 bytes on, what touching them gave. */
const BATCHES: usize = 12288
const BATCH_ROWS: u32 = 16
/** One byte a bin: 1 goes left. */
const SIDES: usize = 16384
const HEAP: usize = 20480

const MISSING: usize = 255
/** Bytes of the histogram of four features, words alone. */
const GROUP_BYTES: usize = 4 * 256 * 8

const TASK_ROOT: i32 = 1
const TASK_PAIR: i32 = 2
const TASK_LARGEST: i32 = 3
const TASK_PACK: i32 = 4
const TASK_PART: i32 = 5
const TASK_JOIN: i32 = 6
const TASK_BIN: i32 = 7
const TASK_TURN: i32 = 8
const TASK_SEARCH: i32 = 9
const TASK_ADD: i32 = 10
const TASK_RESIDUALS: i32 = 11

@unmanaged
class Job {
  task: i32
  threads: i32
  rows: u32
  width: u32
  /** Features rounded up to fours. */
  padded: u32
  /** Bytes of a row: its words, then its bins. With 24 features and one word that is half a cache line. */
  stride: u32
  /** Words of a histogram entry: 1 or 2. */
  words: u32
  countBits: u32
  slotBytes: u32
  /** Bins by column, words and bins by row, bins in use. */
  columns: u32
  records: u32
  used: u32
  order: u32
  spareLeft: u32
  spareRight: u32
  gradient: u32
  hessian: u32
  edges: u32
  staging: u32
  scores: u32
  target: u32
  leaves: u32
  histograms: u32
  // of the task at hand
  from: u32
  to: u32
  array: u32
  feature: u32
  scale: f64
  hessianScale: f64
  l2: f64
  minChildRows: f64
  minChildWeight: f64
}

/** What of a node its histogram and its best split need. */
@unmanaged
class Seat {
  slot: u32
  open: u32
  from: u32
  to: u32
  /** One byte a feature: 1 may be split by. */
  mask: u32
  pad: u32
  gradient: f64
  hessian: f64
  rows: f64
  parent: f64
  least: f64
}

@inline
function job(): Job {
  return changetype<Job>(JOB)
}

@inline
function seat(which: usize): Seat {
  return changetype<Seat>(NODES + which * 128)
}

// ---------------------------------------------------------------- threads

/** The life of every thread but the first. */
export function serve(member: i32): void {
  let seen = 0
  while (true) {
    seen = nextEpoch(seen)
    if (atomic.load<i32>(STOP) != 0) return
    work(member)
    atomic.add<i32>(DONE, 1)
    if (atomic.load<i32>(WAITING) != 0) atomic.notify(DONE, 1)
  }
}

function nextEpoch(seen: i32): i32 {
  for (let k = 0; k < PATIENCE; k++) {
    const now = atomic.load<i32>(EPOCH)
    if (now != seen) return now
  }
  atomic.add<i32>(SLEEPERS, 1)
  while (atomic.load<i32>(EPOCH) == seen) atomic.wait<i32>(EPOCH, seen, -1)
  atomic.sub<i32>(SLEEPERS, 1)
  return atomic.load<i32>(EPOCH)
}

/** Ends the other threads. */
export function stop(): void {
  atomic.store<i32>(STOP, 1)
  atomic.add<i32>(EPOCH, 1)
  atomic.notify(EPOCH, -1)
}

/**
 * Sleeps until a thread reports, unless all have. At most a millisecond at a time: a lost wake-up, which was seen once
 * on Node 20 with this loop written differently, then costs a moment and not the process.
 */
function sleep(counter: usize, complete: i32): void {
  const now = atomic.load<i32>(counter)
  if (now != complete) atomic.wait<i32>(counter, now, 1_000_000)
}

/** Lets all threads do their share of a task; returns when it is done. */
function fork(task: i32): void {
  job().task = task
  const others = job().threads - 1
  if (others == 0) {
    work(0)
    return
  }
  atomic.store<i32>(DONE, 0)
  atomic.add<i32>(EPOCH, 1)
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(EPOCH, -1)
  work(0)
  for (let k = 0; k < PATIENCE; k++) {
    if (atomic.load<i32>(DONE) == others) return
  }
  atomic.store<i32>(WAITING, 1)
  while (atomic.load<i32>(DONE) != others) sleep(DONE, others)
  atomic.store<i32>(WAITING, 0)
}

function work(member: i32): void {
  const task = job().task
  if (task == TASK_PAIR) openBoth(member)
  else if (task == TASK_ROOT) openOne(member)
  else if (task == TASK_PART) part(member)
  else if (task == TASK_JOIN) joinParts(member)
  else if (task == TASK_PACK) packRows(member)
  else if (task == TASK_LARGEST) largestOf(member)
  else if (task == TASK_BIN) binValues(member)
  else if (task == TASK_TURN) turnRows(member)
  else if (task == TASK_SEARCH) searchShare(member, 0)
  else if (task == TASK_ADD) addShare(member)
  else if (task == TASK_RESIDUALS) residualsShare(member)
}

/** Where the share of a thread begins when `count` things are dealt out in one piece each. */
@inline
function shareFrom(member: i32, count: usize): usize {
  return (count * <usize>member) / <usize>job().threads
}

// ---------------------------------------------------------------- memory

/** Lays out the memory for a fit and gives the bytes needed before the first histogram. */
export function layout(
  threads: i32,
  rows: u32,
  width: u32,
  words: u32,
  countBits: u32,
  outputs: u32,
  leaves: u32,
): u32 {
  const j = job()
  j.threads = threads
  j.rows = rows
  j.width = width
  j.padded = (width + 3) & ~3
  j.stride = (j.padded + words * 8 + 7) & ~7
  j.words = words
  j.countBits = countBits
  j.slotBytes = (j.padded / 4) * <u32>GROUP_BYTES * words
  let at = <u32>HEAP
  j.used = at
  at = align(at + j.padded * 2)
  changetype<Seat>(NODES).mask = at
  at = align(at + j.padded)
  changetype<Seat>(NODES + 128).mask = at
  at = align(at + j.padded)
  j.edges = at
  at = align(at + 256 * 8)
  j.columns = at
  at = align(at + rows * j.padded)
  j.records = at
  // the column to be binned is staged where the rows will be
  j.staging = at
  at = align(at + rows * j.stride)
  j.order = at
  at = align(at + rows * 4)
  j.spareLeft = at
  at = align(at + rows * 4)
  j.spareRight = at
  at = align(at + rows * 4)
  j.gradient = at
  at = align(at + rows * 8)
  j.hessian = at
  at = align(at + rows * 8)
  j.scores = at
  at = align(at + rows * 8 * outputs)
  j.target = at
  at = align(at + rows * 8)
  j.leaves = at
  at = align(at + leaves * 16)
  j.histograms = at
  return at
}

@inline
function align(at: u32): u32 {
  return (at + 63) & ~63
}

export function slotBytes(): u32 {
  return job().slotBytes
}
export function usedAt(): u32 {
  return job().used
}
export function maskAt(which: usize): u32 {
  return seat(which).mask
}
export function edgesAt(): u32 {
  return job().edges
}
export function stagingAt(): u32 {
  return job().staging
}
export function columnsAt(): u32 {
  return job().columns
}
export function orderAt(): u32 {
  return job().order
}
export function gradientAt(): u32 {
  return job().gradient
}
export function hessianAt(): u32 {
  return job().hessian
}
export function scoresAt(): u32 {
  return job().scores
}
export function targetAt(): u32 {
  return job().target
}
export function leavesAt(): u32 {
  return job().leaves
}
export function sidesAt(): u32 {
  return <u32>SIDES
}
export function resultsAt(): u32 {
  return <u32>RESULTS
}
export function histogramAt(slot: u32): u32 {
  return job().histograms + slot * job().slotBytes
}

// ---------------------------------------------------------------- bins

/** Bins the staged column of numbers by the 255 edges (ascending, the unused ones infinite). */
export function binColumn(feature: u32): void {
  job().feature = feature
  fork(TASK_BIN)
}

function binValues(member: i32): void {
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

function turnRows(member: i32): void {
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

// ---------------------------------------------------------------- gradients

/** Largest size among the first `rows` gradients (0) or hessians (1). */
export function largest(which: i32, rows: u32): f64 {
  job().array = which == 0 ? job().gradient : job().hessian
  job().to = rows
  fork(TASK_LARGEST)
  let most: f64 = 0
  for (let k = 0; k < job().threads; k++) most = max(most, load<f64>(PARTIALS + (<usize>k << 6)))
  return most
}

function largestOf(member: i32): void {
  const j = job()
  const array = <usize>j.array
  const to = shareFrom(member + 1, j.to)
  let most: f64 = 0
  for (let row = shareFrom(member, j.to); row < to; row++) most = max(most, abs(load<f64>(array + (row << 3))))
  store<f64>(PARTIALS + (<usize>member << 6), most)
}

/** Makes the words of the first `rows` rows. */
export function pack(rows: u32, scale: f64, hessianScale: f64): void {
  job().to = rows
  job().scale = scale
  job().hessianScale = hessianScale
  fork(TASK_PACK)
}

function packRows(member: i32): void {
  const j = job()
  const bits = <i64>j.countBits
  const to = shareFrom(member + 1, j.to)
  for (let row = shareFrom(member, j.to); row < to; row++) {
    const record = <usize>j.records + row * <usize>j.stride
    const whole = <i64>nearest(load<f64>(<usize>j.gradient + (row << 3)) * j.scale)
    const word = (whole << bits) + 1
    store<i64>(record, word)
    if (j.words == 2) {
      store<i64>(record, <i64>nearest(load<f64>(<usize>j.hessian + (row << 3)) * j.hessianScale), 8)
    }
  }
}

/** Gradients of the squared error of the first `rows` rows. */
export function residuals(rows: u32): void {
  job().to = rows
  fork(TASK_RESIDUALS)
}

function residualsShare(member: i32): void {
  const j = job()
  const to = shareFrom(member + 1, j.to)
  for (let row = shareFrom(member, j.to); row < to; row++) {
    const at = row << 3
    store<f64>(<usize>j.gradient + at, load<f64>(<usize>j.scores + at) - load<f64>(<usize>j.target + at))
  }
}

/** Adds leaves' values to one output's scores: `count` times end of its range in order, then value, from place 0 on. */
export function addLeaves(count: u32, output: u32): void {
  const j = job()
  j.from = count
  j.array = j.scores + output * j.rows * 8
  j.to = count == 0 ? 0 : <u32>load<f64>(<usize>j.leaves + (<usize>count - 1) * 16)
  fork(TASK_ADD)
}

function addShare(member: i32): void {
  const j = job()
  const scores = <usize>j.array
  const last = shareFrom(member + 1, j.to)
  let place = shareFrom(member, j.to)
  for (let leaf: usize = 0; leaf < <usize>j.from && place < last; leaf++) {
    const end = min(<usize>load<f64>(<usize>j.leaves + leaf * 16), last)
    const value = load<f64>(<usize>j.leaves + leaf * 16, 8)
    for (; place < end; place++) {
      const at = scores + (<usize>load<u32>(<usize>j.order + (place << 2)) << 3)
      store<f64>(at, load<f64>(at) + value)
    }
  }
}

// ---------------------------------------------------------------- sorting

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

// ---------------------------------------------------------------- histograms

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

function openOne(member: i32): void {
  const groups = <usize>job().padded >> 2
  count(member, 0, shareFrom(member, groups), shareFrom(member + 1, groups))
}

function openBoth(member: i32): void {
  const groups = <usize>job().padded >> 2
  const first = shareFrom(member, groups)
  const last = shareFrom(member + 1, groups)
  count(member, 0, first, last)
  subtract(first, last)
  if (seat(0).open) searchShare(member, 0)
  if (seat(1).open) searchShare(member, 1)
}

function count(member: i32, which: usize, first: usize, last: usize): void {
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

// ---------------------------------------------------------------- splits

function searchShare(member: i32, which: usize): void {
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

// ---------------------------------------------------------------- partition

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
function part(member: i32): void {
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
function joinParts(member: i32): void {
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

// ---------------------------------------------------------------- prediction

/**
 * Adds what trees say to the scores of `rows` rows (a multiple of eight) of a row-major matrix; tree t adds to output t
 * modulo `outputs`. A node takes 16 bytes: threshold, address of its left child, byte offset of its feature in a row
 * and whether missing goes right (16 bits each); a leaf is its own left child under an infinite threshold.
 * The leaves' values lie half as far behind `values` as the nodes behind `nodes`.
 */
export function predict(
  nodes: usize,
  values: usize,
  roots: usize,
  trees: u32,
  matrix: usize,
  width: usize,
  rows: usize,
  scores: usize,
  outputs: usize,
): void {
  const end = matrix + ((rows * width) << 3)
  let gaps = false
  for (let at = matrix; at < end; at += 8) gaps = gaps || load<f64>(at) != load<f64>(at)
  for (let tree: u32 = 0; tree < trees; tree++) {
    const root = <usize>load<u32>(roots + (tree << 2))
    const score = scores + ((tree % outputs) << 3)
    if (gaps) walk<i32>(nodes, values, root, matrix, end, width << 3, score, outputs << 3)
    else walk<bool>(nodes, values, root, matrix, end, width << 3, score, outputs << 3)
  }
}

/** One tree, eight rows at a time, without a branch a step. T is i32 where values may be missing, bool where not. */
function walk<T>(
  nodes: usize,
  values: usize,
  root: usize,
  matrix: usize,
  end: usize,
  rowBytes: usize,
  scores: usize,
  scoreBytes: usize,
): void {
  let score = scores
  for (let row = matrix; row < end; row += rowBytes << 3) {
    let a = root
    let b = root
    let c = root
    let d = root
    let e = root
    let f = root
    let g = root
    let h = root
    while (true) {
      const a2 = step<T>(a, row)
      const b2 = step<T>(b, row + rowBytes)
      const c2 = step<T>(c, row + rowBytes * 2)
      const d2 = step<T>(d, row + rowBytes * 3)
      const e2 = step<T>(e, row + rowBytes * 4)
      const f2 = step<T>(f, row + rowBytes * 5)
      const g2 = step<T>(g, row + rowBytes * 6)
      const h2 = step<T>(h, row + rowBytes * 7)
      const moved =
        (a ^ a2) | (b ^ b2) |
        (c ^ c2) | (d ^ d2) |
        (e ^ e2) | (f ^ f2) |
        (g ^ g2) | (h ^ h2)
      if (moved == 0) break
      a = a2
      b = b2
      c = c2
      d = d2
      e = e2
      f = f2
      g = g2
      h = h2
    }
    addLeaf(score, values, a - nodes)
    addLeaf(score + scoreBytes, values, b - nodes)
    addLeaf(score + scoreBytes * 2, values, c - nodes)
    addLeaf(score + scoreBytes * 3, values, d - nodes)
    addLeaf(score + scoreBytes * 4, values, e - nodes)
    addLeaf(score + scoreBytes * 5, values, f - nodes)
    addLeaf(score + scoreBytes * 6, values, g - nodes)
    addLeaf(score + scoreBytes * 7, values, h - nodes)
    score += scoreBytes << 3
  }
}

@inline
function step<T>(node: usize, row: usize): usize {
  const x = load<f64>(row + <usize>load<u16>(node, 12))
  let right = <usize>(x > load<f64>(node))
  if (sizeof<T>() == 4) right |= <usize>(x != x) & <usize>load<u16>(node, 14)
  return <usize>load<u32>(node, 8) + (right << 4)
}

@inline
function addLeaf(score: usize, values: usize, offset: usize): void {
  store<f64>(score, load<f64>(score) + load<f64>(values + (offset >> 1)))
}
