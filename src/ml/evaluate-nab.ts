/**
 * The scoring rules of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015, and its public scorer): a detection
 * inside a labelled window earns by how early it comes, only the best one of a window counts, a missed window costs,
 * and every detection outside costs, less when it comes shortly after a window. The first rows of a file are
 * probationary and not scored. One threshold for all files, the one that scores best, as the benchmark chooses it;
 * the result is scaled so that a detector that never speaks has 0 and a perfect one 100.
 */
import { HomeostatError } from '../core/errors.ts'

export interface NabFile {
  /** One score a row, larger is stranger. */
  readonly scores: ArrayLike<number>
  /** Labelled windows as row numbers [first, last], both inside, in order, not overlapping. */
  readonly windows: readonly (readonly [number, number])[]
}

export interface NabProfile {
  readonly truePositive: number
  readonly falseNegative: number
  readonly falsePositive: number
}

export const nabProfiles = {
  standard: { truePositive: 1, falseNegative: 1, falsePositive: 0.11 },
  rewardLowFalsePositives: { truePositive: 1, falseNegative: 1, falsePositive: 0.22 },
  rewardLowFalseNegatives: { truePositive: 1, falseNegative: 2, falsePositive: 0.11 },
} as const satisfies Record<string, NabProfile>

export interface NabResult {
  /** 100 = perfect, 0 = silent; below 0 is worse than saying nothing. */
  readonly score: number
  /** Rows with a score from here on are detections. Infinity: best to say nothing. */
  readonly threshold: number
  readonly windows: number
  readonly windowsFound: number
  /** Detected rows outside every window. */
  readonly falsePositives: number
}

/** Share of a file that is not scored, and the most rows that this can be (15 % of 5,000). */
const probationaryShare = 0.15
const probationaryRowsMax = 750

/** Rows at the start of a file of this length that are not scored. */
export const nabProbationaryRows = (rows: number): number =>
  Math.min(Math.floor(probationaryShare * rows), probationaryRowsMax)

/**
 * Windows given as [start, end] times as row numbers; both times must occur in the (not falling) times of the rows.
 */
export function nabWindows(
  at: ArrayLike<number>,
  limits: readonly (readonly [number, number])[],
): [number, number][] {
  return limits.map(([start, end]) => {
    const first = Array.prototype.indexOf.call(at, start)
    const last = Array.prototype.indexOf.call(at, end)
    if (first < 0 || last < first)
      throw new HomeostatError('data_invalid', {
        detail: `the window from ${start} to ${end} does not begin and end at rows of the file`,
      })
    return [first, last]
  })
}

/** Scores a detector over all files of a corpus. `threshold` overrides the search for the best one. */
export function scoreNab(
  files: readonly NabFile[],
  profile: NabProfile = nabProfiles.standard,
  threshold?: number,
): NabResult {
  const points: Point[] = []
  let windows = 0
  for (const file of files) windows += collect(file, profile, windows, points)
  if (windows === 0)
    throw new HomeostatError('data_invalid', {
      detail: 'no file has a labelled window, so there is nothing to find',
    })
  points.sort((a, b) => b.score - a.score)
  const silent = -profile.falseNegative * windows
  const perfect = profile.truePositive * windows

  const byWindow = new Float64Array(windows).fill(-profile.falseNegative)
  let total = silent
  let windowsFound = 0
  let falsePositives = 0
  let best: NabResult = {
    score: 0,
    threshold: Number.POSITIVE_INFINITY,
    windows,
    windowsFound,
    falsePositives,
  }
  for (let at = 0; at < points.length; ) {
    const level = points[at]!.score
    if (threshold !== undefined && level < threshold) break
    for (; at < points.length && points[at]!.score === level; at++) {
      const { window, weight } = points[at]!
      if (window === outside) {
        total += weight
        falsePositives++
      } else if (weight > byWindow[window]!) {
        if (byWindow[window] === -profile.falseNegative) windowsFound++
        total += weight - byWindow[window]!
        byWindow[window] = weight
      }
    }
    const score = (100 * (total - silent)) / (perfect - silent)
    if (threshold !== undefined || score > best.score)
      best = { score, threshold: threshold ?? level, windows, windowsFound, falsePositives }
  }
  return best
}

const outside = -1

/** A scored row: what a detection here is worth, and in which window it lies. */
interface Point {
  readonly score: number
  readonly weight: number
  readonly window: number
}

/** The benchmark's sigmoid: 1 well before 0, 0 at 0, -1 after; cut to -1 from 3 on. */
const sigmoid = (position: number): number => (position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1)

/** Adds the scored rows of one file; returns its number of windows. */
function collect(file: NabFile, profile: NabProfile, firstWindow: number, points: Point[]): number {
  const { scores, windows } = file
  const full = sigmoid(-1)
  let next = 0
  for (let row = 0; row < scores.length; row++) {
    while (next < windows.length && row > windows[next]![1]) next++
    const current = windows[next]
    const score = scores[row]!
    if (row < nabProbationaryRows(scores.length)) continue
    if (!Number.isFinite(score))
      throw new HomeostatError('data_invalid', { detail: `the score is ${score} at row ${row + 1}` })
    if (current && row >= current[0]) {
      const width = current[1] - current[0] + 1
      const position = -(current[1] - row + 1) / width
      points.push({
        score,
        weight: (profile.truePositive * sigmoid(position)) / full,
        window: firstWindow + next,
      })
    } else {
      const previous = windows[next - 1]
      const past = previous ? (row - previous[1]) / (previous[1] - previous[0]) : Number.POSITIVE_INFINITY
      points.push({ score, weight: profile.falsePositive * sigmoid(past), window: outside })
    }
  }
  return windows.length
}
