import { derivedDevice } from '../../core/series.ts'
import { dayMs, hourMs, minuteMs, quarterMs } from '../../core/time.ts'
import { forecastLosses } from '../../ml/losses.ts'
import type { Dataset, Learning, MeasuredPace, Steps } from '../domain.ts'
import { openEnergy } from './body.ts'
import { forecastEnergy } from './forecast.ts'
import { knownDays, learnDaysMin, learnEnergy } from './learn.ts'
import { derivedMetrics } from './monitor.ts'
import { type EnergyMetric, energyMetrics, isEnergyMetric, slowestMs } from './spans.ts'

/** A model is fitted to 400 days of origins, and looks back four weeks from each. */
const historyMsMax = 430 * dayMs

/** Share of an hour that must be known; its energy is then scaled up to the whole hour. */
const knownShare = 0.75

const quarters = hourMs / quarterMs

/** Energy by the hour of every device that measures power or energy, from its derived quarter-hours. */
export const energyLearning: Learning = {
  name: 'energy',
  forecast: forecastEnergy,
  learn: learnEnergy,
  everyMs: hourMs,
  stepMs: quarterMs,
  needs(target, newestAt, historyMs = historyMsMax) {
    const to = Math.floor((newestAt + quarterMs) / hourMs) * hourMs
    const from = to - Math.ceil(historyMs / hourMs) * hourMs
    const device = derivedDevice(target)
    return Object.entries(derivedMetrics).map(([name, metric]) => ({
      ...{ name, from, to, stepMs: quarterMs },
      series: { site: target.site, device, metric },
    }))
  },
  steps: hourly,
  measured: ({ site, subject }) => energyMetrics.map((metric) => ({ site, device: subject, metric })),
  isEnough: ({ values }) => knownDays(values) >= learnDaysMin,
  whyNot: whyNothing,
  open: openEnergy,
  loss: (forecast, truth) => forecastLosses(forecast, truth, 'sum'),
}

function whyNothing(steps: Steps | undefined, paces: readonly MeasuredPace[]): string {
  const isTooSlow = ({ metric, everyMs }: MeasuredPace): boolean =>
    isEnergyMetric(metric) && everyMs > slowestMs[metric]
  if (paces.length > 0 && paces.every(isTooSlow)) {
    const series = paces.map(
      ({ metric, everyMs }) =>
        `${metric} comes every ${spanText(everyMs)}, and is followed up to every ${spanText(slowestMs[metric as EnergyMetric])}`,
    )
    return `It is measured too seldom to know what was used when: ${series.join('; ')}.`
  }
  if (!steps) return 'Not a whole hour of it is known yet.'
  const days = knownDays(steps.values)
  const unknown = steps.repairs['hours_unknown'] ?? 0
  const gaps = unknown > 0 ? `, ${unknown} of ${steps.values.length} hours since its first are unknown` : ''
  return `There is too little history to learn from: ${days.toFixed(1)} days of known hours${gaps}; a model is learnt from ${learnDaysMin} days on.`
}

function spanText(ms: number): string {
  return ms >= 2 * hourMs
    ? `${Number((ms / hourMs).toFixed(1))} h`
    : `${Number((ms / minuteMs).toFixed(1))} min`
}

/** Hours from the first known one to the newest; an absent coverage next to a present energy means that all of it is known. */
function hourly({ energy, coverage }: Dataset): Steps | undefined {
  if (!energy) return undefined
  const hours = new Float64Array(Math.floor(energy.values.length / quarters)).fill(Number.NaN)
  let first = -1
  let filled = 0
  for (let hour = 0; hour < hours.length; hour++) {
    let kwh = 0
    let known = 0
    for (let index = hour * quarters; index < (hour + 1) * quarters; index++) {
      const value = energy.values[index]!
      if (Number.isNaN(value)) continue
      const share = coverage?.values[index] ?? 1
      kwh += value
      known += (Number.isNaN(share) ? 1 : share) / quarters
    }
    if (known < knownShare) continue
    if (known < 1) filled++
    hours[hour] = kwh / known
    if (first < 0) first = hour
  }
  if (first < 0) return undefined
  const values = hours.slice(first)
  const unknown = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
  const repairs = { hours_unknown: unknown, hours_scaled_up: filled }
  return { start: energy.start + first * hourMs, stepMs: hourMs, values, unit: 'kWh', repairs }
}
