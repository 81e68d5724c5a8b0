import { HomeostatError } from '../../core/errors.ts'
import { hourMs } from '../../core/time.ts'
import {
  type Forecaster,
  type ForecastOptions,
  featuresOf,
  learnForecaster,
  loadForecaster,
} from '../../ml/forecast/forecast.ts'
import { lightMembersOf } from '../../ml/forecast/members.ts'
import type { Series } from '../../ml/forecast/series.ts'
import { firewallOf } from '../../ml/repair.ts'
import type { TaskInput } from '../domain.ts'

/** How the forecasting engine is used for the energy of a device: hours, a day ahead. */

/** Lead times of one forecast: hours 0..23 after the origin. */
export const horizon = 24
const season = 24

export const quantileLevels: readonly number[] = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]

/** How often the candidate learns anew while it is judged. */
export const foldsMax = 6
/** Days that are judged, the newest ones, at most: eight weeks tell a difference of some percent from chance. */
const judgedDaysMax = 56
/** Days that a candidate has before the first judged one: every weekday four times. Or so much of a short history. */
const daysBefore = 28
const shareBefore = 0.6
/** Hours between judged origins: prime to 24, so that every lead time meets every hour of the day. */
const stride = 25
const originsMax = 1 + Math.floor((judgedDaysMax * 24 - horizon) / stride)

const firewall = firewallOf(hourMs)

/** The features of a device's energy. */
export const featureNames: readonly string[] = featuresOf({ times: true })

export const seriesOf = (
  { target, start, stepMs, zone }: Pick<TaskInput, 'target' | 'start' | 'stepMs' | 'zone'>,
  values: Float64Array,
): Series => ({ id: target.subject, values, times: { startMs: start, stepMs, zone } })

/** Learns from one device, and forecasts the newest days on the way. `onProgress` is told the share that is done. */
export function learnDevice(
  input: TaskInput,
  onProgress: (share: number) => void = () => undefined,
): Forecaster {
  const first = input.values.findIndex((value) => !Number.isNaN(value))
  const hours = input.values.length - first
  const options: ForecastOptions = {
    ...{ season, horizon, quantiles: quantileLevels, members: lightMembersOf(), firewall },
    blend: { pooled: true, power: 12 },
    trial: {
      share: Math.max(1 - shareBefore, 1 - (daysBefore * 24) / hours),
      ...{ originsMax, spacing: stride, refits: foldsMax },
    },
    progress: (_, nth, of) => onProgress(nth / of),
  }
  return learnForecaster([seriesOf(input, input.values)], options)
}

/** Throws `data_invalid` for state that is damaged, or of other features than this program computes. */
export function loadDevice(state: unknown): Forecaster {
  const forecaster = loadForecaster(state, lightMembersOf())
  if (forecaster.featureNames.join() !== featureNames.join())
    throw new HomeostatError('data_invalid', {
      detail: `it learnt from other features: ${forecaster.featureNames.join(', ')}`,
    })
  if (forecaster.quantiles.join() !== quantileLevels.join())
    throw new HomeostatError('data_invalid', { detail: 'it learnt other quantiles' })
  return forecaster
}
