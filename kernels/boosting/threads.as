/** The fork and join of all threads on one memory. */

import { binValues, turnRows } from './bins'
import { addShare, largestOf, packRows, residualsShare } from './gradients'
import { openBoth, openOne } from './histograms'
import { DONE, EPOCH, PATIENCE, SLEEPERS, STOP, TASK_ADD, TASK_BIN, TASK_JOIN, TASK_LARGEST, TASK_PACK, TASK_PAIR, TASK_PART, TASK_RESIDUALS, TASK_ROOT, TASK_SEARCH, TASK_TURN, WAITING, job } from './job'
import { joinParts, part } from './partition'
import { searchShare } from './splits'

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

/** Naps without news, a millisecond each, after which a thread is taken for dead: no task takes a second. */
const NAPS_MAX = 5000

/**
 * Sleeps until all threads have reported. At most a millisecond at a time: a lost wake-up, which was seen once on
 * Node 20 with this loop written differently, then costs a moment and not the process. Traps where a thread stays
 * silent for seconds: its share of the task will never be done.
 */
function sleep(counter: usize, complete: i32): void {
  let naps = 0
  while (true) {
    const now = atomic.load<i32>(counter)
    if (now == complete) return
    const timedOut = atomic.wait<i32>(counter, now, 1_000_000) == 2
    naps = timedOut ? naps + 1 : 0
    if (naps > NAPS_MAX) unreachable()
  }
}

/** Lets all threads do their share of a task; returns when it is done. */
export function fork(task: i32): void {
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
  sleep(DONE, others)
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
