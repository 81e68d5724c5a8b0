/** From scores to gradients and back. */

import { count } from './histograms'
import { PARTIALS, TASK_ADD, TASK_LARGEST, TASK_PACK, TASK_RESIDUALS, job, shareFrom } from './job'
import { fork } from './threads'

/** Largest size among the first `rows` gradients (0) or hessians (1). */
export function largest(which: i32, rows: u32): f64 {
  job().array = which == 0 ? job().gradient : job().hessian
  job().to = rows
  fork(TASK_LARGEST)
  let most: f64 = 0
  for (let k = 0; k < job().threads; k++) most = max(most, load<f64>(PARTIALS + (<usize>k << 6)))
  return most
}

export function largestOf(member: i32): void {
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

export function packRows(member: i32): void {
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

export function residualsShare(member: i32): void {
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

export function addShare(member: i32): void {
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
