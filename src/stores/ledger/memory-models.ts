import type { SeriesKey } from '../../core/event.ts'
import type { ModelEntry, ModelEvent } from '../../core/life.ts'
import type { ModelLedger } from '../../core/ports.ts'
import { compareSeries } from '../../core/series.ts'
import { versionId } from './keys.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'
import { printable } from './rows.ts'

export function memoryModels(): ModelLedger & Upkeep & { readonly trimEvents: (keep: number) => void } {
  const models = new Map<string, ModelEntry>()
  let events: ModelEvent[] = []

  const entries = (wanted: (series: SeriesKey) => boolean): ModelEntry[] =>
    [...models.values()]
      .filter(({ card }) => wanted(card.series))
      .sort(
        ({ card: a }, { card: b }) =>
          b.trainedAt - a.trainedAt ||
          compareSeries(a.series, b.series) ||
          compare(a.model.version, b.model.version),
      )

  return {
    async put(put, told) {
      const [copies, copiedEvents] = structuredClone([put, told])
      for (const entry of copies) {
        const { series, model } = entry.card
        models.set(versionId({ series, version: model.version }), {
          ...entry,
          reason: printable(entry.reason),
        })
      }
      events.push(...copiedEvents)
    },
    all: async (site) => entries((series) => site === undefined || series.site === site),
    of: async (series) => entries((other) => compareSeries(other, series) === 0),
    async remove(versions) {
      for (const version of versions) models.delete(versionId(version))
    },
    events: async ({ site, series }, limit) =>
      events
        .filter((event) => site === undefined || event.series.site === site)
        .filter((event) => series === undefined || compareSeries(event.series, series) === 0)
        .reverse()
        .sort((a, b) => b.at - a.at)
        .slice(0, limit),

    removeSite(site) {
      removeWhere(models, ({ card }) => card.series.site === site)
      events = events.filter(({ series }) => series.site !== site)
    },
    dropBefore() {},
    trimEvents(keep) {
      events = events.slice(Math.max(0, events.length - keep))
    },
  }
}
