import { HomeostatError } from '../../core/errors.ts'
import type { ModelRef } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { type DriftReference, referenceOf, usualPsi } from '../../ml/drift.ts'
import type { Frame } from '../../ml/frame.ts'
import type { Model } from '../../ml/learner.ts'
import { boosting } from '../../ml/learners/boosting.ts'
import type { FeatureRow, OpenModel } from '../domain.ts'
import { featureNames, horizon } from './features.ts'
import type { Fit } from './fit.ts'

/** How an input was spread over what was learnt from, and the largest PSI of one of its weeks. */
interface Inputs extends DriftReference {
  readonly usual: number
}

/** Learnt state as it is kept, plain JSON. NaN and infinity are null there. */
interface Body {
  readonly format: typeof format
  /** The boosted trees. */
  readonly model: unknown
  /** Share of what the trees say that is added to the mean of the slot, 0 to 1. */
  readonly share: number
  /** Half the interval by lead time, kWh; null where there were too few origins to promise anything. */
  readonly widths: readonly (number | null)[]
  /** Mean of the hours that were learnt from, kWh. */
  readonly mean: number
  /** Whether the series fell below zero. */
  readonly negative: boolean
  readonly drift: Readonly<Record<string, Inputs>>
  /** Some rows that were learnt from, features in the order of `featureNames`, and what was said of them. */
  readonly probe: { readonly rows: readonly (readonly (number | null)[])[]; readonly said: readonly number[] }
}

const format = 'homeostat-energy-1'

/** A model made ready. */
export interface EnergyModel extends OpenModel {
  readonly ref: ModelRef
  /** Half the interval by lead time, kWh; infinite where nothing can be promised. */
  readonly widths: readonly number[]
  readonly drift: Readonly<Record<string, Inputs>>
  /** kWh of each row of a table that holds all features. */
  says(frame: Frame): Float64Array
}

type Learnt = Pick<Body, 'share' | 'widths' | 'mean' | 'negative'>

/** The text of a body. `frame` of the fit gives the references of drift and the probe. */
export function bodyOf({ model, frame, weeks }: Fit, learnt: Learnt): string {
  const picked = [0, Math.floor((frame.rows - 1) / 2), frame.rows - 1]
  const rows = picked.map((row) => frame.columns.map((column) => column[row]!))
  const said = says(model, learnt, frameOf(rows))
  const drift = Object.fromEntries(
    frame.names.map((name, at): [string, Inputs] => {
      const column = frame.columns[at]!
      const reference = referenceOf(column)
      return [name, { ...reference, usual: usualPsi(column, weeks, reference) }]
    }),
  )
  // JSON writes NaN and infinity as null
  const body: Body = { format, model: model.toJSON(), ...learnt, drift, probe: { rows, said: [...said] } }
  return JSON.stringify(body)
}

/**
 * Makes a stored model ready to answer in kWh. A row's features suffice: the mean of the slot over 28 days is one of
 * them, and the trees say the difference to it; where a row lacks it the mean of the last week stands for it, and where
 * that is lacking, too, the mean of what was learnt from. So every row gets a number, a bare `{ hour: 18 }` included.
 * Throws `model_refused`, with what is wrong, for a body of another format, with damaged numbers, with other features
 * than this program computes, or which does not repeat what it said when it was stored, to the bit.
 */
export function openEnergy({ card, body }: StoredModel): EnergyModel {
  try {
    const read = readBody(body)
    const model = boosting.load(read.model)
    const learnt = { ...read, widths: read.widths.map((width) => width ?? Number.POSITIVE_INFINITY) }
    if (model.parts.names.join() !== featureNames.toSorted().join())
      refuse(`it learnt from other features: ${model.parts.names.join(', ')}`)
    const { rows, said } = read.probe
    const again = says(model, learnt, frameOf(rows.map((row) => row.map((value) => value ?? Number.NaN))))
    for (const [row, value] of again.entries())
      if (!Object.is(value, said[row]))
        refuse(`it says ${value} where it said ${said[row]} when it was stored`)
    return {
      ref: card.model,
      widths: learnt.widths,
      drift: read.drift,
      says: (frame) => says(model, learnt, frame),
      predict: (asked) => says(model, learnt, frameOf(asked.map(valuesOf))),
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
    throw new HomeostatError(
      'model_refused',
      { model: `${card.model.name} ${card.model.version}`, detail },
      error,
    )
  }
}

/** The only place where a number is made: serving, forecasting and judging all come through here. */
function says(model: Model, { share, mean, negative }: Learnt, frame: Frame): Float64Array {
  const slot = columnOf(frame, 'slot_mean_28d')
  const week = columnOf(frame, 'mean_168h')
  const least = negative ? Number.NEGATIVE_INFINITY : 0
  return model.predict(frame).map((difference, row) => {
    const base = [slot[row]!, week[row]!].find((value) => !Number.isNaN(value)) ?? mean
    return Math.max(least, base + share * difference)
  })
}

const columnOf = (frame: Frame, name: string): Float64Array => frame.columns[frame.names.indexOf(name)]!

/** Throws `data_invalid` for a feature that is none: a name that is misspelt would count as missing. */
function valuesOf(row: FeatureRow): number[] {
  const unknown = Object.keys(row).find((name) => !featureNames.includes(name))
  if (unknown !== undefined)
    throw new HomeostatError('data_invalid', {
      detail: `There is no feature "${unknown}"; there are ${featureNames.join(', ')}`,
    })
  return featureNames.map((name) => row[name] ?? Number.NaN)
}

/** Rows with values in the order of `featureNames`. */
const frameOf = (rows: readonly (readonly number[])[]): Frame => ({
  rows: rows.length,
  names: featureNames,
  columns: featureNames.map((_, column) => Float64Array.from(rows, (row) => row[column]!)),
})

function readBody(text: string): Body {
  const body: unknown = JSON.parse(text)
  if (!isObject(body)) return refuse('it is no object')
  if (body['format'] !== format)
    return refuse(`its format is ${JSON.stringify(body['format'])}, not "${format}"`)
  const { share, mean, negative, widths } = body
  if (!isNumber(share) || share < 0 || share > 1) return refuse('its share is no number from 0 to 1')
  if (!isNumber(mean)) return refuse('its mean is no number')
  if (typeof negative !== 'boolean') return refuse('it does not say whether it may fall below zero')
  if (!isListOf(widths, isWidth) || (widths.length !== horizon && widths.length !== 0))
    return refuse(`its widths are not ${horizon} numbers`)
  return { format, model: body['model'], share, mean, negative, widths, ...checksOf(body) }
}

function checksOf(body: Readonly<Record<string, unknown>>): Pick<Body, 'drift' | 'probe'> {
  const { drift, probe } = body
  if (!isObject(drift)) return refuse('it has no references of drift')
  const references: Record<string, Inputs> = {}
  for (const name of featureNames) {
    const one = drift[name]
    if (!isObject(one)) return refuse(`it has no reference of drift for ${name}`)
    // models of the first release do not say what is usual
    const { edges, counts, usual = 0 } = one
    const isWhole = isListOf(edges, isNumber) && isListOf(counts, isNumber) && isNumber(usual)
    if (!isWhole || counts.length !== edges.length + 2)
      return refuse(`its reference of drift for ${name} is damaged`)
    references[name] = { edges, counts, usual }
  }
  if (!isObject(probe)) return refuse('it has no probe')
  const { rows, said } = probe
  if (!isListOf(rows, isRow) || !isListOf(said, isNumber) || rows.length !== said.length || rows.length === 0)
    return refuse('its probe is damaged')
  return { drift: references, probe: { rows, said } }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isNumber = (value: unknown): value is number => Number.isFinite(value)

const isNumberOrNull = (value: unknown): value is number | null => value === null || isNumber(value)

const isWidth = (value: unknown): value is number | null => value === null || (isNumber(value) && value >= 0)

const isRow = (value: unknown): value is (number | null)[] =>
  isListOf(value, isNumberOrNull) && value.length === featureNames.length

const isListOf = <Item>(value: unknown, is: (item: unknown) => item is Item): value is Item[] =>
  Array.isArray(value) && value.every(is)

function refuse(why: string): never {
  throw new HomeostatError('data_invalid', { detail: why })
}
