import type { ModelEntry, ModelEvent } from '../../core/life.ts'
import type { ModelLedger } from '../../core/ports.ts'
import { compareTargets, isSameTarget, type Target } from '../../core/target.ts'
import { versionId } from './keys.ts'
import { hides, settleLive, type TakeOut } from './memory-devices.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'
import { printable } from './rows.ts'

export function memoryModels(): ModelLedger &
  Upkeep & { readonly trimEvents: (keep: number) => void; readonly takeOut: TakeOut } {
  const models = new Map<string, ModelEntry>()
  let events: ModelEvent[] = []

  const entries = (wanted: (target: Target) => boolean): ModelEntry[] =>
    [...models.values()]
      .filter(({ card }) => wanted(card.target))
      .sort(
        ({ card: a }, { card: b }) =>
          b.trainedAt - a.trainedAt ||
          compareTargets(a.target, b.target) ||
          compare(a.model.version, b.model.version),
      )

  return {
    async put(put, told) {
      const [copies, copiedEvents] = structuredClone([put, told])
      for (const entry of copies) {
        const { target, model } = entry.card
        models.set(versionId({ target, version: model.version }), {
          ...entry,
          reason: printable(entry.reason),
        })
      }
      events.push(...copiedEvents)
    },
    all: async (site) => entries((target) => site === undefined || target.site === site),
    of: async (target) => entries((other) => isSameTarget(other, target)),
    async remove(versions) {
      for (const version of versions) models.delete(versionId(version))
    },
    events: async ({ site, target }, limit) =>
      events
        .filter((event) => site === undefined || event.target.site === site)
        .filter((event) => target === undefined || isSameTarget(event.target, target))
        .reverse()
        .sort((a, b) => b.at - a.at)
        .slice(0, limit),

    removeSite(site) {
      removeWhere(models, ({ card }) => card.target.site === site)
      events = events.filter(({ target }) => target.site !== site)
    },
    dropBefore() {},
    takeOut(removal) {
      const gone = entries((target) => hides(removal, target))
      const goneEvents = events.filter(({ target }) => hides(removal, target))
      for (const { card } of gone)
        models.delete(versionId({ target: card.target, version: card.model.version }))
      events = events.filter((event) => !goneEvents.includes(event))
      return () => {
        for (const target of removal.targets) {
          const before = gone.filter(({ card }) => isSameTarget(card.target, target))
          const now = entries((other) => isSameTarget(other, target))
          for (const entry of settleLive(now, before)) {
            const id = versionId({ target, version: entry.card.model.version })
            if (!before.includes(entry) || !models.has(id)) models.set(id, entry)
          }
        }
        events = [...goneEvents, ...events]
      }
    },
    trimEvents(keep) {
      events = events.slice(Math.max(0, events.length - keep))
    },
  }
}
