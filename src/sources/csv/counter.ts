/**
 * Tells the register of a meter (energy_total) from the energy of each interval (energy). Both are written in kWh, and
 * either taken for the other is wrong by orders of magnitude, so that name and shape are both looked at.
 */

export interface CounterVerdict {
  readonly counter: boolean
  /** It could be the other as well: the user should be told how to say so. */
  readonly unsure: boolean
  /** For the user. */
  readonly why: string
}

/** Names of registers: they rise, whatever they are reset by. */
const registerWords =
  /(^|_)(total|totals|totali[sz]er|today|daily|day|lifetime|life|meter|counter|register|index|cumul\w*|reading|z(ä|ae)hler(stand)?|stand|heute|gesamt|compteur|contatore|contador|odometer|since|ever)(_|$)/
/** Names of energies of intervals. */
const intervalWords =
  /(^|_)(interval|bucket|delta|diff|usage|used|per|hourly|quarter|half_hourly|slot|increment|hour)(_|$)/

/** Share of the steps that may fall although the column is a register: meters round, and are read twice. */
const fallsMax = 0.02
/** Level of a register, in rises from one row to the next: the least that shape alone is believed at. */
const levelMin = 100
/** A fall of this share of the value may be noise. */
const jitterShare = 0.001
/** Rows that rise between two resets. */
const risesMin = 4

interface Shape {
  /** Steps to a higher value, and to a lower one that no reset explains. */
  readonly rises: number
  readonly falls: number
  /** Falls by less than a meter's own noise would be at such a level. */
  readonly jitter: number
  readonly resets: number
  /** Isolated rows far below their neighbours. */
  readonly glitches: number
  /** The highest level at which a stretch begins, in median rises. */
  readonly level: number
}

/** kWh that a meter has counted, but nothing in a home takes in one interval after the other. */
const standingKwhMin = 20

/**
 * `runs` are values of one series each, in order of time, taken from several places of the file; `kwhPerUnit` is what
 * they are multiplied by to be kWh.
 */
export function readCounter(
  name: string,
  runs: readonly (readonly number[])[],
  kwhPerUnit = 1,
): CounterVerdict {
  const isNamed = registerWords.test(name)
  const isInterval =
    intervalWords.test(name) && !/(^|_)(total|lifetime|meter|counter|register|z(ä|ae)hler\w*)(_|$)/.test(name)
  const shape = shapeOf(runs)
  const { rises, resets, glitches, level } = shape
  // at a level that its name explains a tiny fall is noise; else it is a fall
  const falls = shape.falls + (isNamed && shape.rises > shape.jitter ? 0 : shape.jitter)
  const steps = Math.max(1, rises + falls + resets)
  const why = (text: string, counter: boolean, unsure = false): CounterVerdict => ({
    counter,
    why: text,
    unsure,
  })
  const standing = Math.min(...runs.flat().map((value) => value * kwhPerUnit))
  if (rises + falls + resets === 0 && runs.some((run) => run.length > 1) && standing >= standingKwhMin)
    return why('it stands still at the level of a meter’s register', true)
  if (rises + falls + resets === 0)
    return isNamed && !isInterval
      ? why('its name is that of a meter’s register', true)
      : why('taken as the energy of each interval', false, true)
  // a meter that was replaced by one with a lower reading falls once
  const replaced = level >= levelMin && rises >= 10 ? 1 : 0
  if (falls > Math.max(replaced, fallsMax * steps))
    return why('it rises and falls, so it is the energy of each interval', false)
  if (rises < risesMin * resets && !(isNamed && resets <= 1))
    return why('it falls back too often for a meter, so it is the energy of each interval', false)
  const marks = [
    ...(resets > 0 ? [`starts over ${resets === 1 ? 'once' : `${resets} times`}`] : []),
    ...(glitches > 0 ? [`drops out ${glitches === 1 ? 'once' : `${glitches} times`}`] : []),
  ]
  const rising = `it only rises${marks.length > 0 ? ` (and ${marks.join(', ')})` : ''}, so it is a meter’s register`
  if (isNamed && !isInterval) return why(rising, true)
  if (level >= levelMin && (!isInterval || rises >= 48)) return why(rising, true)
  if (resets >= 2 && falls === 0 && !isInterval) return why(rising, true)
  return why('taken as the energy of each interval', false, true)
}

function shapeOf(runs: readonly (readonly number[])[]): Shape {
  let [rises, falls, jitter, resets, glitches, level] = [0, 0, 0, 0, 0, 0]
  for (const run of runs) {
    const clean = withoutDropOuts(run)
    glitches += run.length - clean.length
    const up: number[] = []
    let begin = clean[0] ?? 0
    const endStretch = (): void => {
      const median = up.sort((a, b) => a - b)[up.length >> 1]
      const share = median === undefined ? 0 : begin / median
      // a single rise is believed at a level that no interval has
      if (up.length > 1 || share >= 10 * levelMin) level = Math.max(level, share)
      up.length = 0
    }
    for (const [index, value] of clean.entries()) {
      const before = clean[index - 1]
      if (before === undefined || value === before) continue
      if (value > before) {
        rises++
        up.push(value - before)
      } else if (value <= 0.1 * before) {
        endStretch()
        resets++
        begin = value
      } else if (before - value <= jitterShare * before) jitter++
      else falls++
    }
    endStretch()
  }
  return { rises, falls, jitter, resets, glitches, level }
}

/** Leaves out single rows, or two, that fall to nearly nothing and come back to where they were, or a little higher. */
function withoutDropOuts(values: readonly number[]): number[] {
  const kept: number[] = []
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    const before = kept.at(-1)
    if (before !== undefined && before > 0 && value <= 0.1 * before) {
      const back = [1, 2].find((ahead) => {
        const next = values[index + ahead]
        return next !== undefined && next >= before && next <= 1.5 * before
      })
      if (back !== undefined) {
        index += back - 1
        continue
      }
    }
    kept.push(value)
  }
  return kept
}
