import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createKey, KeyRing } from '../api/keys.ts'
import type { Config } from '../config/load.ts'
import { HomeostatError } from '../core/errors.ts'
import { systemClock } from '../platform/clock.ts'
import { findHub } from '../platform/folder.ts'
import { createLog } from '../platform/log.ts'
import { countRows, createPushSource, rowsOf } from '../sources/push.ts'
import { createHubClient, type HubClient, toError } from './hub-client.ts'

/** The API of the hub of a data folder, whether one runs or not. */
export interface HubAccess extends Pick<HubClient, 'request'> {
  close(): Promise<void>
}

/**
 * A hub that holds the folder is asked over the network. Without one this process is the hub for a while: the same API
 * on the same folder, without sources or schedule, and nobody else can reach it. With `learn` it runs trainings.
 * Rejects with `not_found` where the folder holds nothing.
 */
export async function reachHub(
  config: Config,
  { version, learn }: { readonly version: string; readonly learn: boolean },
): Promise<HubAccess> {
  const address = await findHub(config.data)
  if (address) return { request: createHubClient(address).request, close: async () => undefined }
  if (!existsSync(join(config.data, 'ledger.db')))
    throw new HomeostatError('not_found', {
      what: `data in ${config.data}; name its folder with --data, or begin with homeostat serve or import`,
    })
  return ownHub(config, version, learn)
}

async function ownHub(config: Config, version: string, learn: boolean): Promise<HubAccess> {
  // loaded here, so that a command that finds a hub answers at once
  const [{ openEngine }, { createServer }, { createPeople }] = await Promise.all([
    import('../main.ts'),
    import('../api/server.ts'),
    import('../compose.ts'),
  ])
  const log = createLog('error')
  const { engine, close } = await openEngine(config, log, version)
  try {
    if (learn) await engine.models.trainer.jobs.start()
    const push = createPushSource()
    engine.startSource(push)
    const { key, secret } = createKey('commands on this machine', 'admin', null, systemClock.now())
    const people = createPeople(config, {
      ...{ ledger: engine.ledger.people, clock: systemClock, log },
      // nobody else reaches this server, so nobody gets a token of it
      secret: randomBytes(32),
    })
    await people.open()
    const server = await createServer(
      {
        ...{ engine, people, version, open: false, startedAt: systemClock.now(), keys: new KeyRing([key]) },
        ...{ defaultSite: config.site.id, modelStore: config.artifacts.store },
        push: { rowsOf, countRows, take: (rows) => push.push(rows) },
        removeSite: (site) => engine.removeSite(site),
        limits: { ...config.limits, requestsPerMinute: Number.MAX_SAFE_INTEGER },
      },
      { webFolder: config.data, log },
    )
    return {
      async request(method, path, body) {
        const authorization = `Bearer ${secret}`
        const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
        const headers = {
          authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        }
        const answer = await server.inject({ method, url: path, headers, ...payload })
        if (answer.statusCode < 300) return answer.json()
        throw toError(answer.json())
      },
      async close() {
        await server.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
