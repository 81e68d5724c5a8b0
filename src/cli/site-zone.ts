import { z } from 'zod'
import type { Config } from '../config/load.ts'
import { findHub } from '../platform/folder.ts'
import { createHubClient } from './hub-client.ts'

/** The zone of a site: as the hub on the data folder knows it, else as the configuration says. `why` is for the user. */
export async function siteZoneOf(
  config: Config,
  site = config.site.id,
): Promise<{ readonly zone: string; readonly why: string }> {
  const address = await findHub(config.data)
  if (address) {
    const { request } = createHubClient(address)
    const known = siteZones.safeParse(await request('GET', `/api/v1/sites?site=${encodeURIComponent(site)}`))
    const zone = known.data?.items.find(({ id }) => id === site)?.zone
    if (zone !== undefined) return { zone, why: `the zone of the site "${site}"` }
  }
  return { zone: config.site.zone, why: 'site.zone of the configuration' }
}

const siteZones = z.object({ items: z.array(z.object({ id: z.string(), zone: z.string() })) })
