import { HomeostatError } from '../../core/errors.ts'
import { whole } from '../cursor.ts'
import type { Handlers, Hub } from '../hub.ts'

type Sites = readonly string[] | null

/** Imports that run: an import belongs to those whose key reaches all of its sites. */
export const importRoutes = ({
  engine: {
    models: { imports },
  },
}: Hub): Handlers<'imports' | 'beginImport' | 'renewImport' | 'endImport'> => ({
  imports({ sites }) {
    const shown = imports
      .all()
      .filter((one) => sites === null || one.sites.some((site) => sites.includes(site)))
    return whole(
      shown.map((one) => ({
        ...one,
        sites: one.sites.filter((site) => sites === null || sites.includes(site)),
      })),
    )
  },

  beginImport({ body, caller, status }) {
    requireReach(caller.sites, body.sites)
    status(201)
    return imports.begin(body.sites, caller.name)
  },

  renewImport({ params, body, caller }) {
    requireReach(caller.sites, body.sites)
    requireOwn(caller.sites, imports.get(params.id))
    return imports.renew(params.id, body.sites)
  },

  endImport({ params, caller }) {
    requireOwn(caller.sites, imports.get(params.id))
    imports.end(params.id)
    return { ended: params.id }
  },
})

function requireReach(reached: Sites, sites: readonly string[]): void {
  const beyond = reached === null ? undefined : sites.find((site) => !reached.includes(site))
  if (beyond !== undefined) throw new HomeostatError('site_forbidden', { site: beyond })
}

/** An import of sites beyond the key's reach is unknown to it. */
function requireOwn(
  reached: Sites,
  { id, sites }: { readonly id: string; readonly sites: readonly string[] },
): void {
  const isBeyond = reached !== null && sites.some((site) => !reached.includes(site))
  if (isBeyond) throw new HomeostatError('not_found', { what: `running import "${id}"` })
}
