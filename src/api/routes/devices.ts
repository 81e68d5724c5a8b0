import type { Removal } from '../../core/device.ts'
import { HomeostatError } from '../../core/errors.ts'
import { pageOf } from '../cursor.ts'
import { type Handlers, type Hub, within } from '../hub.ts'

/** What people do to devices. */
export const deviceRoutes = ({
  engine,
}: Hub): Handlers<'editDevice' | 'removeDevice' | 'mergeDevice' | 'removedDevices' | 'restoreDevice'> => ({
  async editDevice({ params: { id }, query, sites, body }) {
    return engine.devices.edit(await siteOf(engine, id, query.site, sites), id, body)
  },

  async removeDevice({ params: { id }, query, sites, caller }) {
    const site = await siteOf(engine, id, query.site, sites)
    return shown(await engine.devices.remove(site, id, query.metric, caller.name))
  },

  async mergeDevice({ params: { id }, query, sites, body, caller }) {
    const site = await siteOf(engine, id, query.site, sites)
    return shown(await engine.devices.merge(site, id, body.into, caller.name))
  },

  removedDevices({ query, sites }) {
    const removals = within(engine.devices.removals(), sites).map(shown)
    return pageOf(removals, query, ['number', 'string'], ({ at, id }) => [-at, id])
  },

  async restoreDevice({ params: { id }, sites }) {
    const removals = within(engine.devices.removals(), sites)
    const removal = removals.find((one) => one.id === id) ?? removals.find(({ device }) => device === id)
    if (!removal)
      throw new HomeostatError('not_found', { what: `removal "${id}", nor a removed device of this id` })
    return shown(await engine.devices.restore(removal.id))
  },
})

/** The site that is named, else the one that has the device, of those in reach. */
async function siteOf(
  { ledger }: Hub['engine'],
  id: string,
  named: string | undefined,
  sites: readonly string[] | null,
): Promise<string> {
  if (named !== undefined) return named
  const found = within(await ledger.devices(), sites).filter((device) => device.id === id)
  const [first] = found
  if (!first) throw new HomeostatError('not_found', { what: `device "${id}"` })
  if (found.length > 1)
    throw new HomeostatError('request_invalid', {
      detail: `the device "${id}" is on the sites ${found.map(({ site }) => site).join(', ')}; name one with ?site=`,
    })
  return first.site
}

const shown = ({ id, kind, site, device, known, metric, into, at, until, by }: Removal) => ({
  ...{ id, kind, site, device, at, until, by },
  ...(known?.name === undefined ? {} : { name: known.name }),
  ...(metric === undefined ? {} : { metric }),
  ...(into === undefined ? {} : { into }),
})
