import type { Series, SeriesKey } from '../../core/event.ts'
import type { ReadingStore } from '../../core/ports.ts'
import { seriesId } from '../../core/series.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import type { Learning, Steps } from '../domain.ts'
import { openEnergy } from './body.ts'
import { type EnergyMetric, EnergySpans, energyMetrics, HourlyEnergy } from './hourly.ts'
import { knownDays, learnDaysMin } from './learn.ts'

/** A model is fitted to 400 days of origins, and looks back four weeks from each. */
const historyMsMax = 430 * dayMs

/** Energy by the hour of every device that measures power or energy. */
export const energyLearning: Learning = {
  name: 'energy',
  async work() {
    const [{ forecastEnergy }, { learnEnergy }] = await Promise.all([
      import('./forecast.ts'),
      import('./learn.ts'),
    ])
    return { forecast: forecastEnergy, learn: learnEnergy }
  },
  targets(series) {
    const best = new Map<string, { source: Series; target: SeriesKey }>()
    for (const source of series) {
      const rank = rankOf(source)
      if (rank < 0) continue
      const target = { site: source.site, device: source.device, metric: 'energy' }
      const id = seriesId(target)
      const other = best.get(id)
      if (!other || rank < rankOf(other.source)) best.set(id, { source, target })
    }
    return [...best.values()]
  },
  collect: collectHourly,
  isEnough: ({ values }) => knownDays(values) >= learnDaysMin,
  open: openEnergy,
}

/** Place of a metric in the order of preference, -1 for one that is no energy. */
const rankOf = ({ metric }: SeriesKey): number => energyMetrics.indexOf(metric as EnergyMetric)

async function collectHourly(
  source: Series,
  store: Pick<ReadingStore, 'scan'>,
  newestAt: number,
  historyMs = historyMsMax,
): Promise<Steps | undefined> {
  const spans = new EnergySpans(source.metric as EnergyMetric)
  const hours = new HourlyEnergy()
  for await (const { at, value } of store.scan(source, newestAt - historyMs, newestAt + 1)) {
    for (let row = 0; row < at.length; row++) {
      const span = spans.add(at[row]!, value[row]!)
      if (span) hours.add(span)
    }
  }
  const last = spans.last()
  if (last) hours.add(last)
  const series = hours.series()
  if (!series) return undefined
  const { start, values, gaps, filled } = series
  const repairs = { counter_resets: spans.resets, hours_unknown: gaps, hours_scaled_up: filled }
  return { start, values, stepMs: hourMs, unit: 'kWh', repairs }
}
