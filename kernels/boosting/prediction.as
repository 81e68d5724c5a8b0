/** Walking trees. */

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
export function step<T>(node: usize, row: usize): usize {
  const x = load<f64>(row + <usize>load<u16>(node, 12))
  let right = <usize>(x > load<f64>(node))
  if (sizeof<T>() == 4) right |= <usize>(x != x) & <usize>load<u16>(node, 14)
  return <usize>load<u32>(node, 8) + (right << 4)
}

@inline
function addLeaf(score: usize, values: usize, offset: usize): void {
  store<f64>(score, load<f64>(score) + load<f64>(values + (offset >> 1)))
}
