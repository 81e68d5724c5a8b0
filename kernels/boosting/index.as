/**
 * The inner loops of boosting in AssemblyScript, compiled to WebAssembly by scripts/build-kernels.mjs. What they compute
 * is written plainly in src/ml/learners/boosting/plain-kernel.ts, and a test holds them to the same bits.
 *
 * All threads run this program on one shared memory. The first one calls the exported functions; the others are inside
 * `serve` and do their share of each task. A histogram entry is one 64-bit word: the sum of whole gradients above, the
 * number of rows in the lowest `countBits`; with hessians a second word follows. Integer sums do not depend on order.
 */

export { binColumn, turn } from './bins'
export { largest, pack, residuals, addLeaves } from './gradients'
export { sit, rules, countRoot, openPair, searchRoot } from './histograms'
export {
  columnsAt,
  edgesAt,
  gradientAt,
  hessianAt,
  histogramAt,
  layout,
  leavesAt,
  maskAt,
  orderAt,
  resultsAt,
  scoresAt,
  sidesAt,
  slotBytes,
  stagingAt,
  targetAt,
  usedAt,
} from './memory'
export { partition } from './partition'
export { predict } from './prediction'
export { sortNumbers } from './sorting'
export { serve, stop } from './threads'
