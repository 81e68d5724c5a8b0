import type { DomainRecord, RecordKey, RecordLedger } from '../../core/record.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'

export function memoryRecords(): RecordLedger & Upkeep {
  let records = new Map<string, DomainRecord>()

  return {
    async put(put, rowsMax) {
      const next = new Map(records)
      for (const record of structuredClone(put)) next.set(idOf(record), record)
      const isFull = put.some(({ site, domain }) => {
        const held = [...next.values()].filter((row) => row.site === site && row.domain === domain)
        return held.length > rowsMax
      })
      if (!isFull) records = next
      return !isFull
    },
    get: async (key) => structuredClone(records.get(idOf(key))),
    list: async ({ domain, kind, sites, after }, limit) =>
      [...records.values()]
        .filter((row) => row.domain === domain && row.kind === kind)
        .filter(({ site }) => sites === undefined || sites.includes(site))
        .filter((row) => after === undefined || bySiteAndKey(row, after) > 0)
        .sort(bySiteAndKey)
        .slice(0, limit),
    remove: async (key) => records.delete(idOf(key)),

    removeSite: (site) => removeWhere(records, (row) => row.site === site),
    dropBefore: () => undefined,
  }
}

const idOf = ({ site, domain, kind, key }: RecordKey): string =>
  `${site}\u001f${domain}\u001f${kind}\u001f${key}`

const bySiteAndKey = (a: Pick<RecordKey, 'site' | 'key'>, b: Pick<RecordKey, 'site' | 'key'>): number =>
  compare(a.site, b.site) || compare(a.key, b.key)
