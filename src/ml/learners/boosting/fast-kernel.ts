import type { Team } from '../../parallel.ts'
import { binColumn, binSpan } from './binning.ts'
import { bitsOf, type KernelData, type TreeKernel, wholeLimit, wholeScale } from './kernel.ts'
import { compiled, type Exports, reserve } from './program.ts'
import {
  findSplit,
  type Node,
  noise,
  numericSides,
  type SearchRules,
  type Split,
  scoreOf,
  statistics,
} from './split.ts'

/** Ranges that `addLeaves` takes in one go. */
const leavesAtOnce = 4096
/** Numbers of one best split: gain, feature, bin, missing left, gradient, hessian, rows, unused. */
const resultNumbers = 8

/** The compiled passes, for at most `slots` histograms at once; undefined where they cannot run. */
export function createFastKernel(data: KernelData, slots: number, team?: Team): TreeKernel | undefined {
  const mine = compiled()
  if (mine === undefined || mine === null) return undefined
  const together = team !== undefined && bytesFor(data, slots) <= team.memory.buffer.byteLength
  const memory = together ? team.memory : mine.memory
  const wasm = new WebAssembly.Instance(mine.module, { env: { memory } }).exports as Exports
  return new FastKernel(data, wasm, memory, together ? team.size : 1)
}

/** At least the bytes that a fit takes with so many histograms at once. */
function bytesFor({ rows, features, unitHessian, outputs }: KernelData, slots: number): number {
  const stride = features.length + 4
  const words = unitHessian ? 1 : 2
  return (
    65_536 +
    rows * (2 * stride + 36 + 8 * outputs + 8 * words) +
    leavesAtOnce * 16 +
    slots * stride * binSpan * 8 * words
  )
}

class FastKernel implements TreeKernel {
  readonly rows: number
  readonly order: Int32Array
  readonly gradient: Float64Array
  readonly hessian: Float64Array
  readonly scores: Float64Array
  readonly #leaves: Float64Array
  readonly #data: KernelData
  readonly #wasm: Exports
  readonly #memory: WebAssembly.Memory
  readonly #threads: number
  readonly #countBits: number
  readonly #words: number
  readonly #sides: Uint8Array
  readonly #results: Float64Array
  readonly #masks: readonly Uint8Array[]
  readonly #masked: (Int32Array | undefined)[] = [undefined, undefined]
  readonly #plain = new Float64Array(binSpan * statistics)

  constructor(data: KernelData, wasm: Exports, memory: WebAssembly.Memory, threads: number) {
    const { rows, trained, features } = data
    this.rows = rows
    this.#data = data
    this.#wasm = wasm
    this.#memory = memory
    this.#threads = threads
    this.#countBits = bitsOf(trained)
    this.#words = data.unitHessian ? 1 : 2
    const most = Math.min(leavesAtOnce, rows * 2)
    const { outputs } = data
    reserve(
      this.#memory,
      wasm.layout(threads, rows, features.length, this.#words, this.#countBits, outputs, most),
    )
    const { buffer } = memory
    this.order = new Int32Array(buffer, wasm.orderAt(), rows)
    this.gradient = new Float64Array(buffer, wasm.gradientAt(), rows)
    this.hessian = new Float64Array(buffer, wasm.hessianAt(), rows)
    this.scores = new Float64Array(buffer, wasm.scoresAt(), rows * outputs).fill(0)
    this.#leaves = new Float64Array(buffer, wasm.leavesAt(), most * 2)
    new Float64Array(buffer, wasm.targetAt(), rows).set(data.target)
    this.#sides = new Uint8Array(buffer, wasm.sidesAt(), binSpan)
    this.#results = new Float64Array(buffer, wasm.resultsAt(), threads * 2 * resultNumbers)
    this.#masks = [0, 1].map((seat) => new Uint8Array(buffer, wasm.maskAt(seat), features.length))
    this.#bin()
  }

  residuals(): void {
    this.#wasm.residuals(this.#data.trained)
  }

  addLeaves(leaves: readonly Node[], output: number): void {
    // left to right the leaves own order[0, sampled) piece by piece, and then the rest in the same way
    const ends = leaves.flatMap(({ to, value }) => [to, value])
    const rest = leaves.flatMap(({ restTo, value }) => [restTo, value])
    if (ends.length + rest.length <= this.#leaves.length) {
      this.#leaves.set(ends)
      this.#leaves.set(rest, ends.length)
      this.#wasm.addLeaves(leaves.length * 2, output)
      return
    }
    const { scores, order } = this
    const first = output * this.rows
    for (const { from, to, restFrom, restTo, value } of leaves) {
      for (let k = from; k < to; k++) scores[first + order[k]!]! += value
      for (let k = restFrom; k < restTo; k++) scores[first + order[k]!]! += value
    }
  }

  begin(): { gradient: number; hessian: number } {
    const { trained, unitHessian } = this.#data
    const limit = wholeLimit(trained)
    const scale = wholeScale(this.#wasm.largest(0, trained), limit)
    const hessianScale = unitHessian ? 1 : wholeScale(this.#wasm.largest(1, trained), limit)
    this.#wasm.pack(trained, scale, hessianScale)
    return { gradient: 1 / scale, hessian: 1 / hessianScale }
  }

  openRoot(root: Node, rules: SearchRules): void {
    reserve(this.#memory, this.#wasm.histogramAt(root.slot + 1))
    this.#sit(0, root, rules)
    this.#wasm.countRoot()
    const plain = this.#decode(root.slot, 0)
    root.gradient = root.hessian = 0
    for (let at = 0; at < plain.length; at += statistics) {
      root.gradient += plain[at]!
      root.hessian += plain[at + 1]!
    }
    this.#sit(0, root, rules)
    this.#wasm.rules(rules.l2, rules.minChildRows, rules.minChildWeight)
    this.#wasm.searchRoot()
    root.split = root.open ? this.#best(0, root, rules) : undefined
  }

  openPair(smaller: Node, larger: Node, rules: SearchRules): void {
    reserve(this.#memory, this.#wasm.histogramAt(smaller.slot + 1))
    this.#sit(0, smaller, rules)
    this.#sit(1, larger, rules)
    this.#wasm.openPair()
    smaller.split = smaller.open ? this.#best(0, smaller, rules) : undefined
    larger.split = larger.open ? this.#best(1, larger, rules) : undefined
  }

  partition(from: number, to: number, feature: number, goesLeft: Uint8Array): number {
    if (from === to) return from
    this.#sides.set(goesLeft)
    return this.#wasm.partition(from, to, feature)
  }

  /** Bins all columns, by column and by row. */
  #bin(): void {
    const { rows, features, columns } = this.#data
    const { buffer } = this.#memory
    const used = new Uint16Array(buffer, this.#wasm.usedAt(), features.length)
    const edges = new Float64Array(buffer, this.#wasm.edgesAt(), binSpan - 1)
    const staging = new Float64Array(buffer, this.#wasm.stagingAt(), rows)
    const byColumn = new Uint8Array(buffer, this.#wasm.columnsAt(), rows * features.length)
    for (const [k, feature] of features.entries()) {
      used[k] = feature.bins
      if (feature.edges === undefined) {
        binColumn(feature, columns[k]!, byColumn, k * rows, 1)
        continue
      }
      edges.fill(Number.POSITIVE_INFINITY).set(feature.edges)
      staging.set(columns[k]!)
      this.#wasm.binColumn(k)
    }
    this.#wasm.turn()
  }

  #sit(seat: 0 | 1, node: Node, rules: SearchRules): void {
    const parent = scoreOf(node, rules, node.gradient, node.hessian, rules.l2)
    const { slot, from, to, gradient, hessian, rows } = node
    const open = node.open && rules.monotone === undefined ? 1 : 0
    this.#wasm.sit(seat, slot, open, from, to, gradient, hessian, rows, parent, noise * parent)
    if (this.#masked[seat] === node.features) return
    this.#masked[seat] = node.features
    const mask = this.#masks[seat]!.fill(0)
    for (const feature of node.features) mask[feature] = rules.bins[feature]!.codes === undefined ? 1 : 0
  }

  /** The best of what the threads found among numbers, and of what is looked for here: categories, monotone fits. */
  #best(seat: 0 | 1, node: Node, rules: SearchRules): Split | undefined {
    const special =
      rules.monotone === undefined
        ? node.features.filter((feature) => rules.bins[feature]!.codes !== undefined)
        : node.features
    const found = rules.monotone === undefined ? this.#found(seat) : undefined
    let best = found
    for (const feature of special) {
      const plain = this.#decode(node.slot, feature)
      const split = findSplit(node, Int32Array.of(feature), rules, plain, () => 0)
      if (split === undefined) continue
      const better = best === undefined || split.gain > best.gain
      if (better || (split.gain === best?.gain && split.feature < best.feature)) best = split
    }
    return best
  }

  #found(seat: 0 | 1): Split | undefined {
    const results = this.#results
    let at = -1
    for (let member = 0; member < this.#threads; member++) {
      const mine = (member * 2 + seat) * resultNumbers
      // a thread's features come after those of the thread before it: of equal gains the first stays
      if (results[mine + 1]! >= 0 && (at < 0 || results[mine]! > results[at]!)) at = mine
    }
    if (at < 0) return undefined
    const bin = results[at + 2]!
    return {
      gain: results[at]!,
      feature: results[at + 1]!,
      bin,
      goesLeft: numericSides(bin, results[at + 3] === 1),
      leftGradient: results[at + 4]!,
      leftHessian: results[at + 5]!,
      leftRows: results[at + 6]!,
    }
  }

  /** One feature of a histogram as the plain numbers: gradient, hessian, rows of each bin. */
  #decode(slot: number, feature: number): Float64Array {
    const words = this.#words
    const first = this.#wasm.histogramAt(slot) + feature * binSpan * words * 8
    const halves = new Int32Array(this.#memory.buffer, first, binSpan * words * 2)
    const bits = this.#countBits
    const plain = this.#plain
    // most bins are empty
    plain.fill(0)
    const [step, mask, lift] = [words * 2, 2 ** bits - 1, 2 ** (32 - bits)]
    for (let at = 0, to = 0; at < halves.length; at += step, to += statistics) {
      const low = halves[at]! >>> 0
      if (low === 0 && halves[at + 1] === 0) continue
      const rows = bits === 32 ? low : low & mask
      plain[to] = halves[at + 1]! * lift + (low >>> bits)
      plain[to + 1] = words === 1 ? rows : halves[at + 3]! * 2 ** 32 + (halves[at + 2]! >>> 0)
      plain[to + 2] = rows
    }
    return plain
  }
}
