/**
 * Learners for streams: a row is scored by what came before it, then learnt. That order is the whole of "no
 * look-ahead", and the interface leaves no other.
 */
import type { Frame } from './frame.ts'
import type { Learner, Model } from './learner.ts'
import { checkFrame, columnsByName, sortedNames } from './learners/columns.ts'

export interface StreamingModel {
  /** Whether enough was learnt to score such a row; where not, its score of 0 tells nothing. */
  knows(values: ArrayLike<number>, at: number): boolean
  /**
   * How strange a row is, given the rows learnt so far: finite, >= 0, larger is stranger, 0 while too little is known.
   * `values` holds one value a feature in the order given to `create`, NaN where missing; `at` is UTC epoch ms.
   * Does not change the model.
   */
  scoreOne(values: ArrayLike<number>, at: number): number
  /** Takes the row into account. Rows come in order of time. */
  learnOne(values: ArrayLike<number>, at: number): void
  /** The whole state as plain JSON, from which `load` goes on with the same bits. */
  toJSON(): unknown
}

export interface StreamingLearner<Options extends object = object> {
  readonly name: string
  readonly defaults: Readonly<Options>
  /** A model that knows nothing yet. The order of the names does not matter beyond that of `values`. */
  create(names: readonly string[], options?: Partial<Options>): StreamingModel
  load(json: unknown): StreamingModel
}

/** The column of a frame that holds the time of a row, UTC epoch ms; it is no feature. */
export const timeColumn = 'at'

/** Step between rows of a frame without a time column. */
const defaultStepMs = 60_000

interface StreamedJson {
  readonly names: readonly string[]
  readonly state: unknown
}

/**
 * A streaming learner as a learner like any other: `fit` learns the rows in order, `predict` goes on from there over
 * the given rows, scoring each before learning it, and leaves the model as it was.
 */
export function asLearner<Options extends object>(streaming: StreamingLearner<Options>): Learner<Options> {
  const modelOf = ({ names, state }: StreamedJson): Model => ({
    outputs: 1,
    predict: (frame) => scoreRows(streaming.load(state), frame, names),
    toJSON: (): StreamedJson => ({ names, state }),
  })
  return {
    name: streaming.name,
    task: 'anomaly',
    defaults: streaming.defaults,
    fit(frame, _target, options) {
      checkFrame(frame)
      const names = sortedNames(frame).filter((name) => name !== timeColumn)
      const model = streaming.create(names, options)
      eachRow(frame, names, (values, at) => model.learnOne(values, at))
      return modelOf({ names, state: model.toJSON() })
    },
    load: (json) => modelOf(json as StreamedJson),
  }
}

/** Scores every row of a frame by the rows before it, learning as it goes. */
export function scoreRows(model: StreamingModel, frame: Frame, names: readonly string[]): Float64Array {
  const scores = new Float64Array(frame.rows)
  eachRow(frame, names, (values, at, row) => {
    scores[row] = model.scoreOne(values, at)
    model.learnOne(values, at)
  })
  return scores
}

function eachRow(
  frame: Frame,
  names: readonly string[],
  visit: (values: Float64Array, at: number, row: number) => void,
): void {
  const columns = columnsByName(frame, names)
  const times = frame.columns[frame.names.indexOf(timeColumn)]
  const values = new Float64Array(names.length)
  for (let row = 0; row < frame.rows; row++) {
    for (let feature = 0; feature < values.length; feature++) values[feature] = columns[feature]![row]!
    visit(values, times ? times[row]! : row * defaultStepMs, row)
  }
}

/** What watches one series. */
export interface SeriesDetector {
  /** As `knows`. */
  knows(at: number): boolean
  /** As `scoreOne`; the value is finite. */
  score(value: number, at: number): number
  learn(value: number, at: number): void
  toJSON(): unknown
}

/**
 * A streaming learner that watches every feature by itself; a row is as strange as its strangest value. A missing
 * value is neither scored nor learnt.
 */
export function featureByFeature<Options extends object, State>(
  name: string,
  defaults: Readonly<Options>,
  make: (options: Readonly<Options>, state?: State) => SeriesDetector,
): StreamingLearner<Options> {
  const modelOf = (options: Readonly<Options>, detectors: readonly SeriesDetector[]): StreamingModel => ({
    knows: (values, at) =>
      detectors.some((detector, feature) => Number.isFinite(values[feature]!) && detector.knows(at)),
    scoreOne(values, at) {
      let strangest = 0
      detectors.forEach((detector, feature) => {
        const value = values[feature]!
        if (Number.isFinite(value)) strangest = Math.max(strangest, detector.score(value, at))
      })
      return strangest
    },
    learnOne(values, at) {
      detectors.forEach((detector, feature) => {
        const value = values[feature]!
        if (Number.isFinite(value)) detector.learn(value, at)
      })
    },
    toJSON: () => ({ options, detectors: detectors.map((detector) => detector.toJSON()) }),
  })
  return {
    name,
    defaults,
    create(names, options) {
      const all = { ...defaults, ...options }
      return modelOf(
        all,
        names.map(() => make(all)),
      )
    },
    load(json) {
      const { options, detectors } = json as { options: Options; detectors: State[] }
      return modelOf(
        options,
        detectors.map((state) => make(options, state)),
      )
    },
  }
}
