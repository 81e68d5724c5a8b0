/**
 * Detection over a stream, without labels and without a setting per series: every column is watched by several
 * detectors, each score becomes a p-value against that detector's own past, and the p-values of a row become one.
 *
 * Two kinds, told apart by what is asked. `StreamDetector` asks "is this new?": it learns on, and an event is named
 * once. `trainDetector` (detect-reference.ts) asks "is this like the normal that I was shown?": it does not learn on,
 * and says so as long as the strangeness lasts.
 */

import { HomeostatError } from '../core/errors.ts'
import { dayMs } from '../core/time.ts'
import { levelShiftStream } from './learners/level-shift.ts'
import { seasonalResidualStream } from './learners/seasonal-residual.ts'
import type { StreamingLearner, StreamingModel } from './streaming.ts'
import { fisher, sidak, type TailState, TailWindow } from './tail.ts'

/** What is said of one row. */
export interface Finding {
  /** 0..1, larger is stranger: 1 - pValue, halved while a stranger row of the same event is fresh. */
  readonly score: number
  readonly alarm: boolean
  /** Probability of a row as strange as this one in normal times. */
  readonly pValue: number
  /** The strangest column; undefined where nothing was known of the row. */
  readonly column: string | undefined
}

export interface Detector {
  /** Judges a row by the rows before it, then learns it. One value a column, NaN = missing; `at` in ms, not falling. */
  next(values: ArrayLike<number>, at: number): Finding
  toJSON(): unknown
}

export interface DetectOptions {
  /** Alarms a week that the user will bear where nothing is wrong. */
  readonly falseAlarmsPerWeek: number
  /** Rows for which an event stays one event: only a stranger row speaks again within them. */
  readonly eventRows: number
  /** Scores of a detector that its p-values are read off. */
  readonly historyRows: number
  /** Scores that a detector needs before it is heard. */
  readonly minHistoryRows: number
  /**
   * Time that these scores must span: people and weather repeat themselves by the day, and a day of which only a part
   * was seen makes everything later on it look new. So many scores suffice without: of a series that is not that slow.
   */
  readonly minHistoryMs: number
  readonly enoughRows: number
  /** Zone of the time of day. */
  readonly zone: string
}

/** Chosen on labelled series (bench/truth-anomaly.ts), where halving or doubling any of them costs less than 2 points. */
export const detectDefaults: DetectOptions = {
  falseAlarmsPerWeek: 2,
  eventRows: 96,
  historyRows: 10_000,
  minHistoryRows: 50,
  minHistoryMs: dayMs,
  enoughRows: 2_000,
  zone: 'UTC',
}

export const weekMs = 7 * dayMs

/** Alarms beyond the measure that are forgiven before the measure is tightened: so many may come of one bad day. */
const patience = 5

/** Unlike its time of day, and unlike the hours before: together they find what each alone takes for chance. */
const members = {
  'seasonal-residual': member(seasonalResidualStream, (zone) => ({ scale: 'none' as const, zone })),
  'level-shift': member(levelShiftStream, () => ({})),
} as const

type MemberName = keyof typeof members
const memberNames = Object.keys(members) as MemberName[]

interface Member {
  readonly make: (column: string, zone: string) => StreamingModel
  readonly load: (json: unknown) => StreamingModel
}

function member<Options extends object>(
  learner: StreamingLearner<Options>,
  options: (zone: string) => Partial<Options>,
): Member {
  return {
    make: (column, zone) => learner.create([column], options(zone)),
    load: (json) => learner.load(json),
  }
}

/** One detector on one column, with its own past. */
interface Watch {
  readonly model: StreamingModel
  readonly past: TailWindow
  /** Time of its first score; NaN before. */
  firstAt: number
}

interface StreamDetectorJson {
  readonly kind: 'stream-detector'
  readonly options: DetectOptions
  readonly names: readonly string[]
  readonly watches: readonly {
    readonly model: unknown
    readonly past: TailState
    readonly firstAt?: number | null
  }[]
  readonly recent: readonly (readonly [row: number, strangeness: number])[]
  readonly rows: number
  readonly firstAt: number
  readonly lastAt: number
  readonly alarms: number
}

export class StreamDetector implements Detector {
  readonly #options: DetectOptions
  readonly #names: readonly string[]
  /** Per column, one a member. */
  readonly #watches: readonly (readonly Watch[])[]
  readonly #value = new Float64Array(1)
  /** Rows of the last `eventRows` that no later row has outdone, strangest first: [row, strangeness]. */
  #recent: [number, number][] = []
  #rows = 0
  #firstAt = 0
  #lastAt = 0
  #alarms = 0

  constructor(names: readonly string[], options: Partial<DetectOptions> = {}, json?: StreamDetectorJson) {
    if (names.length === 0)
      throw new HomeostatError('data_invalid', { detail: 'there is no column to watch' })
    this.#options = { ...detectDefaults, ...options }
    this.#names = names
    const { historyRows, zone } = this.#options
    this.#watches = names.map((name, column) =>
      memberNames.map((of, at) => {
        const saved = json?.watches[column * memberNames.length + at]
        return saved
          ? {
              model: members[of].load(saved.model),
              past: TailWindow.load(saved.past),
              firstAt: saved.firstAt ?? Number.NaN,
            }
          : { model: members[of].make(name, zone), past: new TailWindow(historyRows), firstAt: Number.NaN }
      }),
    )
    if (!json) return
    this.#recent = json.recent.map(([row, strangeness]) => [row, strangeness])
    this.#rows = json.rows
    this.#firstAt = json.firstAt
    this.#lastAt = json.lastAt
    this.#alarms = json.alarms
  }

  static load(json: unknown): StreamDetector {
    const saved = json as StreamDetectorJson
    return new StreamDetector(saved.names, saved.options, saved)
  }

  next(values: ArrayLike<number>, at: number): Finding {
    if (this.#rows === 0) this.#firstAt = at
    this.#lastAt = at
    let smallest = 1
    let column: string | undefined
    let known = 0
    for (let place = 0; place < this.#names.length; place++) {
      const value = values[place]!
      if (!Number.isFinite(value)) continue
      known++
      const pValue = this.#judge(this.#watches[place]!, value, at)
      if (pValue <= smallest) {
        smallest = pValue
        column = this.#names[place]
      }
    }
    const pValue = known === 0 ? 1 : sidak(smallest, known)
    const strangeness = -Math.log(Math.max(pValue, Number.MIN_VALUE))
    const isPeak = this.#isPeak(strangeness)
    const alarm = isPeak && pValue < 1 && this.#isAlarm(pValue)
    return { score: isPeak ? 1 - pValue : (1 - pValue) / 2, alarm, pValue, column }
  }

  toJSON(): StreamDetectorJson {
    return {
      kind: 'stream-detector',
      options: this.#options,
      names: this.#names,
      watches: this.#watches.flat().map(({ model, past, firstAt }) => ({
        model: model.toJSON(),
        past: past.toJSON(),
        firstAt: Number.isNaN(firstAt) ? null : firstAt,
      })),
      recent: this.#recent,
      rows: this.#rows,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      alarms: this.#alarms,
    }
  }

  /** P-value of a value in its column, by all members together; then they learn it. */
  #judge(watches: readonly Watch[], value: number, at: number): number {
    this.#value[0] = value
    const pValues = watches.map((watch) => {
      const { model, past } = watch
      // the zeros of a model that knows nothing yet would make its first score the strangest ever
      const isKnown = model.knows(this.#value, at)
      const score = model.scoreOne(this.#value, at)
      const pValue = isKnown && this.#isHeard(watch, at) ? past.pValue(score) : 1
      if (isKnown) {
        past.push(score)
        if (Number.isNaN(watch.firstAt)) watch.firstAt = at
      }
      model.learnOne(this.#value, at)
      return pValue
    })
    return fisher(pValues)
  }

  /** Whether its past is long enough to tell what is strange. */
  #isHeard({ past, firstAt }: Watch, at: number): boolean {
    const { minHistoryRows, minHistoryMs, enoughRows } = this.#options
    return past.size >= minHistoryRows && (at - firstAt >= minHistoryMs || past.size >= enoughRows)
  }

  /** Whether no row of the last `eventRows` was as strange. */
  #isPeak(strangeness: number): boolean {
    const row = this.#rows++
    while (this.#recent.length > 0 && this.#recent[0]![0] < row - this.#options.eventRows)
      this.#recent.shift()
    const isPeak = this.#recent.length === 0 || strangeness > this.#recent[0]![1]
    while (this.#recent.length > 0 && this.#recent.at(-1)![1] <= strangeness) this.#recent.pop()
    this.#recent.push([row, strangeness])
    return isPeak
  }

  /**
   * With p-values that are what they claim, a share p of the rows of a normal week is as strange as p; of these only
   * the first of an event speaks, so the alarms of such a week stay below what the user will bear. Where they do not
   * (the p-values of a series whose noise grows and shrinks by the hour claim too much), each alarm beyond the measure
   * makes the next one harder.
   */
  #isAlarm(pValue: number): boolean {
    const weeks = (this.#lastAt - this.#firstAt) / weekMs
    const borne = this.#options.falseAlarmsPerWeek * weeks
    const excess = (Math.max(borne, this.#alarms) + patience) / (borne + patience)
    const isAlarm = pValue * (this.#rows - 1) * excess ** 2 <= borne
    if (isAlarm) this.#alarms++
    return isAlarm
  }
}
