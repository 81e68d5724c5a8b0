import type { ForgottenSpan, Info } from '../../core/life.ts'
import type { NoteLedger } from '../../core/ports.ts'
import { compareSeries } from '../../core/series.ts'
import { type TakeOut, takeOut } from './memory-devices.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'

export function memoryNotes(): NoteLedger & Upkeep & { readonly takeOut: TakeOut } {
  const infos = new Map<string, Info>()
  const spans = new Map<string, ForgottenSpan>()

  return {
    async putInfos(put) {
      for (const info of structuredClone(put)) infos.set(info.id, info)
    },
    infos: async ({ site, from = Number.NEGATIVE_INFINITY, own = false }, limit) =>
      [...infos.values()]
        .filter((info) => site === undefined || info.site === site || info.site === null)
        .filter(({ at }) => at >= from)
        .filter((info) => !own || info.site !== null)
        .sort((a, b) => b.at - a.at || compare(a.id, b.id))
        .slice(0, limit),
    removeInfos: async (at) => removeWhere(infos, (info) => info.at === at),
    async putForgotten(put) {
      for (const span of structuredClone(put)) spans.set(span.id, span)
    },
    forgotten: async (site) =>
      [...spans.values()]
        .filter(({ series }) => site === undefined || series.site === site)
        .sort((a, b) => compareSeries(a.series, b.series) || a.from - b.from || compare(a.id, b.id)),
    removeForgotten: async (id) => spans.delete(id),

    removeSite(site) {
      removeWhere(infos, (info) => info.site === site)
      removeWhere(spans, ({ series }) => series.site === site)
    },
    takeOut: (removal) =>
      takeOut(spans, ({ series }) => removal.series.some(({ key }) => compareSeries(key, series) === 0)),
    dropBefore: (keepFrom) => removeWhere(infos, ({ at }) => at < keepFrom),
  }
}
