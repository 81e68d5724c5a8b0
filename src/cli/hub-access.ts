import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Hub } from '../api/hub.ts'
import { createKey, KeyRing } from '../api/keys.ts'
import { streamBackup } from '../backup.ts'
import { waysOf } from '../compose.ts'
import type { Config } from '../config/load.ts'
import { HomeostatError } from '../core/errors.ts'
import { systemClock } from '../platform/clock.ts'
import { contentsName } from '../platform/contents.ts'
import { findHub } from '../platform/folder.ts'
import { createLog } from '../platform/log.ts'
import { countRows, createPushSource, rowsOf } from '../sources/push.ts'
import { createHubClient, type HubClient, toError } from './hub-client.ts'

/** The API of the hub of a data folder, whether one runs or not. */
export interface HubAccess extends Pick<HubClient, 'request'> {
  close(): Promise<void>
}

/**
 * Uses the hub that holds the folder, over the network. Without one, this process serves the same API on the folder for
 * itself only, without sources and schedule. With `learn` it runs trainings.
 * Rejects with `not_found` where the folder holds nothing.
 */
export async function reachHub(
  config: Config,
  { version, learn }: { readonly version: string; readonly learn: boolean },
): Promise<HubAccess> {
  const address = await findHub(config.data)
  if (address) return { request: createHubClient(address).request, close: async () => undefined }
  if (!['ledger.db', contentsName].some((name) => existsSync(join(config.data, name))))
    throw new HomeostatError('not_found', {
      what: `data in ${config.data}; name its folder with --data, or begin with homeostat serve or import`,
    })
  return ownHub(config, version, learn)
}

/** Whether nothing was ever stored in the data folder. Commands that only read do not make one. */
export const isUnused = async (config: Config): Promise<boolean> =>
  !existsSync(ledgerOf(config)) && (await findHub(config.data)) === undefined

const ledgerOf = ({ data }: Config): string => join(data, 'ledger.db')

async function ownHub(config: Config, version: string, learn: boolean): Promise<HubAccess> {
  // loaded here, so that a command that finds a hub answers at once
  const [{ openEngine }, { createServer }, { openDesks }, { checksOf, createPeople, createTopicReader }] =
    await Promise.all([
      import('../main.ts'),
      import('../api/server.ts'),
      import('../api/desks.ts'),
      import('../compose.ts'),
    ])
  const log = createLog('error')
  const { engine, close } = await openEngine(config, log, version)
  try {
    if (learn) await engine.models.trainer.jobs.start()
    const push = createPushSource()
    engine.startSource(push)
    const ways = waysOf(config)
    const take: Hub['push']['take'] = (rows) => push.push(rows)
    const topics = createTopicReader(config, engine)
    const { limits } = config
    const desks = await openDesks({ engine, topics, log, take, checks: checksOf(config), limits })
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
        push: { rowsOf, countRows, take },
        ...desks,
        backup: () => streamBackup(config, { version, configFile: undefined }, engine.freeze),
        removeSite: (site) => engine.removeSite(site),
        ...ways,
        limits: { ...ways.limits, requestsPerMinute: Number.MAX_SAFE_INTEGER },
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
