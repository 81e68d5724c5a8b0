import type { Random } from '../../random.ts'
import type { TreeKernel } from './kernel.ts'
import { leafValue, type Node, type SearchRules, type Split } from './split.ts'

/** Where growth ends, and where it goes first. */
export interface GrowthLimits {
  /** 0: no limit; then the order of growth does not matter and depth-first needs the fewest histograms. */
  readonly maxLeaves: number
  /** 0: no limit. */
  readonly maxDepth: number
  readonly minChildRows: number
  /** Features that each node may choose from; 0: all of the tree's. */
  readonly featuresPerNode: number
}

/**
 * Grows one tree on the sample order[0, sampled): the leaf whose split gains most is split next (Shi 2007, "best-first").
 * The rows after the sample follow along, so that every row's leaf is known in the end. `features` are the tree's.
 */
export function growTree(
  kernel: TreeKernel,
  rules: SearchRules,
  limits: GrowthLimits,
  sampled: number,
  features: Int32Array,
  random: Random,
): Node {
  const slots = new Slots()
  const choose = (): Int32Array =>
    limits.featuresPerNode === 0 ? features : sampleOf(features, limits.featuresPerNode, random)
  const root: Node = {
    ...blank,
    from: 0,
    to: sampled,
    restFrom: sampled,
    restTo: kernel.rows,
    rows: sampled,
    slot: slots.take(),
    open: sampled >= 2 * limits.minChildRows,
    features: choose(),
  }
  kernel.openRoot(root, rules)
  root.value = leafValue(root.gradient, root.hessian, rules.l2, root.low, root.high)

  const frontier: Node[] = root.split === undefined ? [] : [root]
  let leaves = 1
  while (frontier.length > 0 && (limits.maxLeaves === 0 || leaves < limits.maxLeaves)) {
    const node = frontier.splice(limits.maxLeaves === 0 ? frontier.length - 1 : bestOf(frontier), 1)[0]!
    const last = leaves + 1 === limits.maxLeaves
    const { left, right } = divide(kernel, rules, limits, node, node.split!, last)
    leaves++
    const [smaller, larger] = left.rows <= right.rows ? [left, right] : [right, left]
    if (larger.open) {
      smaller.slot = slots.take()
      larger.slot = node.slot
      smaller.features = smaller.open ? choose() : smaller.features
      larger.features = choose()
      kernel.openPair(smaller, larger, rules)
    } else {
      slots.give(node.slot)
    }
    // the smaller one is on top of the stack: depth-first then never holds more than log2(rows) histograms
    for (const child of [larger, smaller]) {
      if (child.split !== undefined) frontier.push(child)
      else if (larger.open) slots.give(child.slot)
    }
  }
  return root
}

/** Histograms that growing a tree holds at most at once. */
export const slotsFor = (maxLeaves: number, rows: number): number =>
  maxLeaves === 0 ? Math.ceil(Math.log2(rows + 1)) + 2 : maxLeaves + 1

/** The leaves below a node, left to right. */
export function leavesOf(node: Node, out: Node[] = []): Node[] {
  const stack = [node]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.left === undefined || top.right === undefined) out.push(top)
    else stack.push(top.right, top.left)
  }
  return out
}

/** `count` of the numbers, each subset equally likely, in their order (Knuth, algorithm S). */
export function sampleOf(numbers: Int32Array, count: number, random: Random): Int32Array {
  const out = new Int32Array(Math.min(count, numbers.length))
  let taken = 0
  for (let k = 0; taken < out.length; k++) {
    if (random.next() * (numbers.length - k) < out.length - taken) out[taken++] = numbers[k]!
  }
  return out
}

const blank: Node = {
  from: 0,
  to: 0,
  restFrom: 0,
  restTo: 0,
  depth: 0,
  slot: -1,
  gradient: 0,
  hessian: 0,
  rows: 0,
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  open: false,
  features: new Int32Array(0),
  split: undefined,
  left: undefined,
  right: undefined,
  value: 0,
}

/** Carries a split out: rows change places, two children with sums, bounds and values. */
function divide(
  kernel: TreeKernel,
  rules: SearchRules,
  limits: GrowthLimits,
  node: Node,
  split: Split,
  last: boolean,
): { left: Node; right: Node } {
  const middle = kernel.partition(node.from, node.to, split.feature, split.goesLeft)
  const restMiddle = kernel.partition(node.restFrom, node.restTo, split.feature, split.goesLeft)
  const depth = node.depth + 1
  const mayGrow = !last && (limits.maxDepth === 0 || depth < limits.maxDepth)
  const child = (side: Partial<Node> & { rows: number; gradient: number; hessian: number }): Node => {
    const value = leafValue(side.gradient, side.hessian, rules.l2, node.low, node.high)
    const open = mayGrow && side.rows >= 2 * limits.minChildRows
    return { ...blank, low: node.low, high: node.high, ...side, depth, open, value }
  }
  const left = child({
    from: node.from,
    to: middle,
    restFrom: node.restFrom,
    restTo: restMiddle,
    gradient: split.leftGradient,
    hessian: split.leftHessian,
    rows: split.leftRows,
  })
  const right = child({
    from: middle,
    to: node.to,
    restFrom: restMiddle,
    restTo: node.restTo,
    gradient: node.gradient - split.leftGradient,
    hessian: node.hessian - split.leftHessian,
    rows: node.rows - split.leftRows,
  })
  const sign = rules.monotone?.[split.feature] ?? 0
  if (sign !== 0) {
    // nothing on either side may cross the middle from now on
    const middleValue = (left.value + right.value) / 2
    if (sign > 0) left.high = right.low = middleValue
    else left.low = right.high = middleValue
  }
  node.left = left
  node.right = right
  return { left, right }
}

function bestOf(frontier: readonly Node[]): number {
  let best = 0
  for (let k = 1; k < frontier.length; k++) {
    if (frontier[k]!.split!.gain > frontier[best]!.split!.gain) best = k
  }
  return best
}

/** Numbers of histograms in use; given back ones are used first. */
class Slots {
  readonly #free: number[] = []
  #made = 0

  take(): number {
    return this.#free.pop() ?? this.#made++
  }

  give(slot: number): void {
    this.#free.push(slot)
  }
}
