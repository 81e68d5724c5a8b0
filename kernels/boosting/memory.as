/** Where things lie, for the caller. */

import { GROUP_BYTES, HEAP, NODES, RESULTS, SIDES, Seat, job, seat } from './job'

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
