import { type DomainHub, type DomainRecords, type Reach, requireWithin } from '../core/domain-hub.ts'
import { HomeostatError } from '../core/errors.ts'
import { parseId } from '../core/reading.ts'
import type { RecordKey } from '../core/record.ts'
import { putRecord, type RecordParts, settingsKind } from '../engine/site-settings.ts'
import { type Hub, within } from './hub.ts'

const kindChars = 64
const keyChars = 100

/** The hub as the routes of one domain see it. */
export function createDomainHub(hub: Hub, domain: string): DomainHub {
  const { engine } = hub
  const parts = { records: engine.ledger.records, clock: engine.clock, limits: hub.limits }
  return {
    now: () => engine.clock.now(),
    sites: (reach) => engine.sites().filter(({ id }) => reach === null || reach.includes(id)),
    devices: async (reach) => within(await engine.ledger.devices(), reach),
    latest: (reach) => within(engine.latest(), reach),
    read: (reach, filter, limit, after) =>
      engine.readings({ ...filter, ...(reach === null ? {} : { sites: reach }) }, limit, after),
    async rollups(reach, series, from, to) {
      requireWithin(reach, series.site)
      return engine.rollups(series, from, to)
    },
    async predict(reach, target, rows) {
      requireWithin(reach, target.site)
      return engine.models.predict(target, rows)
    },
    records(kind) {
      if (kind === settingsKind || parseId(kind, kindChars) !== kind)
        throw new Error(`"${kind}" is not a kind of records.`)
      return recordsOf(parts, domain, kind)
    },
    async settings(reach, site) {
      requireWithin(reach, site)
      return (await engine.settings.of(domain, site)).settings
    },
  }
}

function recordsOf(parts: RecordParts, domain: string, kind: string): DomainRecords {
  const { records } = parts
  const keyOf = (reach: Reach, site: string, key: string): RecordKey => {
    requireWithin(reach, site)
    if (parseId(key, keyChars) !== key)
      throw new HomeostatError('id_invalid', { field: 'key', limit: keyChars })
    return { site, domain, kind, key }
  }
  return {
    async put(reach, site, key, body) {
      const id = keyOf(reach, site, key)
      return { ...id, at: await putRecord(parts, id, body), body }
    },
    get: async (reach, site, key) => records.get(keyOf(reach, site, key)),
    list: (reach, limit, after) =>
      records.list(
        {
          domain,
          kind,
          ...(reach === null ? {} : { sites: reach }),
          ...(after === undefined ? {} : { after }),
        },
        limit,
      ),
    remove: async (reach, site, key) => records.remove(keyOf(reach, site, key)),
  }
}
