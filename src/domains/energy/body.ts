import { HomeostatError } from '../../core/errors.ts'
import type { ModelRef } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { type DriftReference, referenceOf, usualPsi } from '../../ml/drift.ts'
import type { Forecaster } from '../../ml/forecast/forecast.ts'
import type { Series } from '../../ml/forecast/series.ts'
import type { Frame } from '../../ml/frame.ts'
import type { FeatureRow, OpenModel } from '../domain.ts'
import { featureNames, loadDevice } from './forecaster.ts'

/** How a feature was distributed over what was learnt from, and the largest PSI of one of its weeks. */
interface Inputs extends DriftReference {
  readonly usual: number
}

const format = 'homeostat-energy-2'
/** Models of the hub's own boosting, before it used the forecasting engine. */
const earlierFormats: readonly unknown[] = ['homeostat-energy-1']

/** A model made ready. */
export interface EnergyModel extends OpenModel {
  readonly ref: ModelRef
  readonly forecaster: Forecaster
  readonly drift: Readonly<Record<string, Inputs>>
}

/** The text of a body: the forecaster as JSON, and the references of drift from the series that it learnt from. */
export function bodyOf(forecaster: Forecaster, series: Series): string {
  return JSON.stringify({ format, forecaster, drift: driftReferences(forecaster, series) })
}

/** Hours between the origins whose features are kept as a reference: prime to 24. */
const driftStride = 11
const weekHours = 168

function driftReferences(forecaster: Forecaster, series: Series): Record<string, Inputs> {
  const origins: number[] = []
  const first = series.values.findIndex((value) => !Number.isNaN(value))
  // before that, features that look back a week are unknown
  for (let origin = first + weekHours; origin < series.values.length; origin += driftStride)
    origins.push(origin)
  const { names, columns, rows } = forecaster.features(series, origins)
  const perOrigin = rows / origins.length
  const weeks = Array.from({ length: rows }, (_, row) =>
    Math.floor(origins[Math.floor(row / perOrigin)]! / weekHours),
  )
  return Object.fromEntries(
    names.map((name, at): [string, Inputs] => {
      const column = columns[at]!
      const reference = referenceOf(column)
      return [name, { ...reference, usual: usualPsi(column, weeks, reference) }]
    }),
  )
}

/**
 * Makes a stored model ready to predict kWh. Throws `model_refused`, with what is wrong, for a body of another format,
 * with damaged numbers, with other features than this program computes, or which does not repeat what it predicted when
 * it was stored, to the bit.
 */
export function openEnergy({ card, body }: StoredModel): EnergyModel {
  try {
    const all: unknown = JSON.parse(body)
    if (!isObject(all)) return refuse('it is no object')
    if (earlierFormats.includes(all['format']))
      return refuse('it was learnt by an earlier version of Homeostat; it is learnt anew')
    if (all['format'] !== format)
      return refuse(`its format is ${JSON.stringify(all['format'])}, not "${format}"`)
    const forecaster = loadDevice(all['forecaster'])
    return {
      ref: card.model,
      forecaster,
      drift: readDrift(all['drift']),
      predict: (rows) => forecaster.predictRows(0, frameOf(rows)),
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

/** Throws `data_invalid` for an unknown feature: a name that is misspelt would count as missing. */
function frameOf(rows: readonly FeatureRow[]): Frame {
  for (const row of rows) {
    const unknown = Object.keys(row).find((name) => !featureNames.includes(name))
    if (unknown !== undefined)
      throw new HomeostatError('data_invalid', {
        detail: `There is no feature "${unknown}"; there are ${featureNames.join(', ')}`,
      })
  }
  return {
    rows: rows.length,
    names: featureNames,
    columns: featureNames.map((name) => Float64Array.from(rows, (row) => row[name] ?? Number.NaN)),
  }
}

function readDrift(drift: unknown): Record<string, Inputs> {
  if (!isObject(drift)) return refuse('it has no references of drift')
  const references: Record<string, Inputs> = {}
  for (const name of featureNames) {
    const one = drift[name]
    if (!isObject(one)) return refuse(`it has no reference of drift for ${name}`)
    const { edges, counts, usual } = one
    const isWhole = isListOfNumbers(edges) && isListOfNumbers(counts) && isNumber(usual)
    if (!isWhole || counts.length !== edges.length + 2)
      return refuse(`its reference of drift for ${name} is damaged`)
    references[name] = { edges, counts, usual }
  }
  return references
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isNumber = (value: unknown): value is number => Number.isFinite(value)

const isListOfNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(isNumber)

function refuse(why: string): never {
  throw new HomeostatError('data_invalid', { detail: why })
}
