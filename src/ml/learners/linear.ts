/** The little linear algebra that the learners need: small, dense, symmetric. */

export interface Eigen {
  /** Falling. */
  readonly values: number[]
  /** One row a vector, in the order of `values`; the largest entry of each is above 0, so that the sign is settled. */
  readonly vectors: number[][]
}

/** Sweeps after which Jacobi's method has long converged for any matrix of numbers. */
const sweepsMax = 64

/** Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, section 8.5). */
export function symmetricEigen(matrix: readonly (readonly number[])[]): Eigen {
  const size = matrix.length
  const a = matrix.map((row) => [...row])
  const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)))
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    let off = 0
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        off = Math.max(off, Math.abs(a[p]![q]!))
        rotate(a, v, p, q)
      }
    if (off < 1e-14) break
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j]![j]! - a[i]![i]!)
  return {
    values: order.map((i) => Math.max(0, a[i]![i]!)),
    vectors: order.map((i) => signed(v.map((row) => row[i]!))),
  }
}

/** One rotation that makes a[p][q] zero. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const apq = a[p]![q]!
  if (apq === 0) return
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let i = 0; i < a.length; i++) {
    const [ip, iq] = [a[i]![p]!, a[i]![q]!]
    a[i]![p] = c * ip - s * iq
    a[i]![q] = s * ip + c * iq
  }
  for (let i = 0; i < a.length; i++) {
    const [pi, qi] = [a[p]![i]!, a[q]![i]!]
    a[p]![i] = c * pi - s * qi
    a[q]![i] = s * pi + c * qi
    const [vp, vq] = [v[i]![p]!, v[i]![q]!]
    v[i]![p] = c * vp - s * vq
    v[i]![q] = s * vp + c * vq
  }
}

function signed(vector: number[]): number[] {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? vector.map((value) => -value) : vector
}

/**
 * Solves matrix x = right for a symmetric positive definite matrix by Cholesky's factors; undefined where it is not.
 * Rows of `matrix` are overwritten.
 */
export function solvePositive(matrix: Float64Array[], right: Float64Array): Float64Array | undefined {
  const size = right.length
  const x = right.slice()
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!
      for (let k = 0; k < j; k++) sum -= matrix[i]![k]! * matrix[j]![k]!
      if (i === j) {
        if (!(sum > 0)) return undefined
        matrix[i]![i] = Math.sqrt(sum)
      } else matrix[i]![j] = sum / matrix[j]![j]!
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= matrix[i]![k]! * x[k]!
    x[i]! /= matrix[i]![i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= matrix[k]![i]! * x[k]!
    x[i]! /= matrix[i]![i]!
  }
  return x
}
