import { HomeostatError } from '../core/errors.ts'
import type { WindowStore } from '../core/ports.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'
import type { IncidentDesk } from './incidents/desk.ts'
import type { Models } from './models/models.ts'
import type { Path } from './path.ts'
import type { Projector } from './projector.ts'

export interface SiteRemovalParts {
  readonly directory: Directory
  readonly models: Models
  readonly path: Path
  readonly windows: WindowStore
  readonly incidents: IncidentDesk
  readonly projector: Projector
  readonly feed: Feed
}

/**
 * Erases a site with all that is known of it. Its sources must have stopped. Rejects with `not_found`, and with
 * `change_not_stored` or `store_failed` where it must be asked for again.
 */
export async function removeSite(parts: SiteRemovalParts, site: string): Promise<void> {
  const { directory, projector } = parts
  const known = directory.sites().find(({ id }) => id === site)
  if (!known) throw new HomeostatError('not_found', { what: `site "${site}"` })
  if (projector.problem !== undefined)
    throw new HomeostatError('change_not_stored', { detail: projector.problem })
  await parts.models.removeSite(site)
  await parts.path.removeSite(site)
  parts.windows.removeSite(site)
  parts.incidents.removeSite(site)
  directory.forget(site)
  try {
    await projector.commit({ kind: 'site-removed', site })
  } catch (error) {
    directory.remember(known)
    throw error
  }
  await projector.flush()
  parts.feed.publish({ kind: 'site_removed', site })
}
