/** What all threads read: addresses, the layout of a fit, the task at hand. */

import { count } from './histograms'
import { slotBytes } from './memory'

// Synchronisation, each word on a cache line of its own
export const EPOCH: usize = 64
export const SLEEPERS: usize = 128
export const DONE: usize = 192
export const WAITING: usize = 256
export const STOP: usize = 320

/** How often a word is looked at before its reader sleeps: some tens of microseconds. */
export const PATIENCE: i32 = 20000

const JOB: usize = 512
export const NODES: usize = 1024
/** Best splits: eight numbers for each node (2) of each thread. */
export const RESULTS: usize = 2048
/** One f64 for each thread, a cache line apart. */
export const PARTIALS: usize = 8192
/** Addresses of the rows that a thread counts next, 64 bytes for each thread; 2,048 bytes on, what touching them gave. */
export const BATCHES: usize = 12288
export const BATCH_ROWS: u32 = 16
/** One byte a bin: 1 goes left. */
export const SIDES: usize = 16384
export const HEAP: usize = 20480

export const MISSING: usize = 255
/** Bytes of the histogram of four features, words alone. */
export const GROUP_BYTES: usize = 4 * 256 * 8

export const TASK_ROOT: i32 = 1
export const TASK_PAIR: i32 = 2
export const TASK_LARGEST: i32 = 3
export const TASK_PACK: i32 = 4
export const TASK_PART: i32 = 5
export const TASK_JOIN: i32 = 6
export const TASK_BIN: i32 = 7
export const TASK_TURN: i32 = 8
export const TASK_SEARCH: i32 = 9
export const TASK_ADD: i32 = 10
export const TASK_RESIDUALS: i32 = 11

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
export class Seat {
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
export function job(): Job {
  return changetype<Job>(JOB)
}

@inline
export function seat(which: usize): Seat {
  return changetype<Seat>(NODES + which * 128)
}

/** Where the share of a thread begins when `count` things are dealt out in one piece each. */
@inline
export function shareFrom(member: i32, count: usize): usize {
  return (count * <usize>member) / <usize>job().threads
}
