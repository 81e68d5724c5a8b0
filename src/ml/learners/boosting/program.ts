import type { Program } from '../../parallel.ts'
import { kernelBase64 } from './kernel-wasm.ts'

/** What kernels/boosting.as exports; addresses and sizes in bytes. */
export interface Exports {
  layout(
    threads: number,
    rows: number,
    width: number,
    words: number,
    countBits: number,
    outputs: number,
    leaves: number,
  ): number
  scoresAt(): number
  targetAt(): number
  leavesAt(): number
  residuals(rows: number): void
  addLeaves(count: number, output: number): void
  sortNumbers(count: number): number
  predict(
    nodes: number,
    values: number,
    roots: number,
    trees: number,
    matrix: number,
    width: number,
    rows: number,
    scores: number,
    outputs: number,
  ): void
  usedAt(): number
  maskAt(seat: number): number
  edgesAt(): number
  stagingAt(): number
  columnsAt(): number
  orderAt(): number
  gradientAt(): number
  hessianAt(): number
  sidesAt(): number
  resultsAt(): number
  slotBytes(): number
  histogramAt(slot: number): number
  binColumn(feature: number): void
  turn(): void
  largest(which: number, rows: number): number
  pack(rows: number, scale: number, hessianScale: number): void
  rules(l2: number, minChildRows: number, minChildWeight: number): void
  sit(
    seat: number,
    slot: number,
    open: number,
    from: number,
    to: number,
    gradient: number,
    hessian: number,
    rows: number,
    parent: number,
    least: number,
  ): void
  countRoot(): void
  searchRoot(): void
  openPair(): void
  partition(from: number, to: number, feature: number): number
}

const pageBytes = 65_536
/** Where data of the caller may lie; what sorting needs beside the numbers. */
export const heapAt = 20_480
const sortRoom = 8192

/** The compiled kernel for a team to run. */
export const kernelProgram: Program = {
  bytes: Uint8Array.from(atob(kernelBase64), (letter) => letter.charCodeAt(0)),
  maxPages: 32_768,
}

/** Module and memory for fits without a team: one of each a thread, since a memory's addresses are scarce. */
let own:
  | { readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory; readonly wasm: Exports }
  | undefined
  | null

/** Whether this machine has WebAssembly with SIMD and shared memory; compiles the kernel at the first question. */
export function compiled(): typeof own {
  if (own !== undefined) return own
  try {
    const module = new WebAssembly.Module(kernelProgram.bytes)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: kernelProgram.maxPages, shared: true })
    const wasm = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports
    own = { module, memory, wasm }
  } catch {
    // no WebAssembly, SIMD or shared memory here: the plain loops do the same
    own = null
  }
  return own
}

/** Sorts numbers, none of them NaN, ascending and in place. */
export function sortNumbers(values: Float64Array): void {
  const mine = compiled()
  if (mine === undefined || mine === null || values.length < 1000) {
    values.sort()
    return
  }
  const { memory, wasm } = mine
  reserve(memory, heapAt + sortRoom + values.length * 16)
  new Float64Array(memory.buffer, heapAt, values.length).set(values)
  values.set(new Float64Array(memory.buffer, wasm.sortNumbers(values.length), values.length))
}

/** Makes a memory reach to `end`. */
export function reserve(memory: WebAssembly.Memory, end: number): void {
  const missing = end - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes))
}
