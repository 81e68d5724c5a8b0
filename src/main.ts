import type { FastifyInstance } from 'fastify'
import { openDesks } from './api/desks.ts'
import type { Hub } from './api/hub.ts'
import { createKey, KeyRing } from './api/keys.ts'
import { isLoopbackName, Networks } from './api/networks.ts'
import type { People } from './api/people.ts'
import { streamBackup } from './backup.ts'
import {
  checksOf,
  createEngine,
  createPeople,
  createTopicReader,
  type EngineChoices,
  waysOf,
} from './compose.ts'
import type { Config } from './config/load.ts'
import { HomeostatError } from './core/errors.ts'
import type { Log } from './core/ports.ts'
import { Demo } from './demo.ts'
import { listenHere, openCertificate, setCertificate, startMqtt } from './edge.ts'
import type { Engine } from './engine/engine.ts'
import { systemClock } from './platform/clock.ts'
import { explainStart, keepReserve, releaseReserve } from './platform/disk.ts'
import { claimFolder, type FolderClaim } from './platform/folder.ts'
import { installationSecret } from './platform/secret.ts'
import { countRows, createPushSource, rowsOf } from './sources/push.ts'

/** A hub that runs. */
export interface RunningHub {
  readonly url: string
  /** Stops taking, settles what was taken, closes the stores; in reverse of the start. */
  close(): Promise<void>
}

/** The composition root: config -> adapters -> engine -> api. The only place where a port meets an adapter. */
export async function startHub(
  config: Config,
  { webFolder, ...choices }: Omit<EngineChoices, 'scheduled'> & { readonly webFolder: string },
): Promise<RunningHub> {
  const { log, version, configFile } = choices
  const stops: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  try {
    await releaseReserve(config.data)
    const claim = await claimFolder(config.data)
    stops.push(() => claim.release())
    const engine = createEngine(config, { ...choices, scheduled: true }, stops)
    stops.push(() => engine.close())
    // these modules load while the stores open in threads of their own
    const [{ createServer }] = await Promise.all([
      import('./api/server.ts'),
      import('./sources/mqtt.ts'),
      engine.open(),
    ])
    const keys = new KeyRing(await engine.ledger.keys())
    const people = createPeople(config, {
      ...{ ledger: engine.ledger.people, clock: systemClock, log },
      secret: await installationSecret(config.data),
    })
    await people.open()
    const mayOpen = mayBeOpen(config, keys, people)
    const push = createPushSource()
    engine.startSource(push)
    const demo = new Demo(engine, config, log)
    const topics = createTopicReader(config, engine)
    const take: Hub['push']['take'] = (rows) => push.push(rows)
    const { limits, trustProxy } = config
    const desks = await openDesks({ engine, topics, log, take, checks: checksOf(config), limits })
    const hub = assemble(config, {
      ...desks,
      engine,
      keys,
      people,
      mayOpen,
      version,
      push: { rowsOf, countRows, take },
      demo,
      configFile,
    })
    const certificate = await openCertificate(config, log, stops)
    const server = await createServer(hub, {
      ...{ webFolder, log, trustProxy, access: config.log.access, tls: certificate?.pair },
    })
    certificate?.onChange((pair) => setCertificate(server, pair))
    stops.push(() => closeServer(server))
    await startMqtt(config, hub, { topics, log, tls: certificate })
    const url = await listen(server, config)
    const here = certificate ? await listenHere(server, stops) : url
    await announce(claim, here, keys).catch((error: unknown) =>
      log.warn('Commands on this machine will not find the hub.', { error: String(error) }),
    )
    await demo.startIfWanted()
    await keepReserve(config.data).catch((error: unknown) =>
      log.warn('No room is kept for a start on a full disk.', { error: String(error) }),
    )
    log.info('Homeostat is ready.', { url, data: config.data, open: hub.open })
    return { url, close }
  } catch (error) {
    await close()
    throw await explainStart(error, config.data)
  }
}

/** The engine alone, on the data folder: for commands that work where no hub runs. No sources, no API, no learning. */
export async function openEngine(
  config: Config,
  log: Log,
  version = '',
): Promise<{ readonly engine: Engine; close(): Promise<void> }> {
  const stops: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  try {
    const claim = await claimFolder(config.data)
    stops.push(() => claim.release())
    const engine = createEngine(
      { ...config, training: { ...config.training, enabled: false } },
      { log, version, scheduled: false },
      stops,
    )
    stops.push(() => engine.close())
    await engine.open()
    return { engine, close }
  } catch (error) {
    await close()
    throw await explainStart(error, config.data)
  }
}

/**
 * Whether loopback needs no key while there are no users; anything wider needs one, and at least a key or a user must
 * exist, or nobody could come in.
 */
function mayBeOpen(config: Config, keys: KeyRing, people: People): boolean {
  const hosts = [
    config.host,
    ...(config.mqtt.enabled && config.mqtt.url === undefined ? [config.mqtt.host] : []),
  ]
  const wide = hosts.find((host) => !isLoopbackName(host))
  if (wide !== undefined && keys.size === 0 && people.size === 0)
    throw new HomeostatError('auth_required', { host: wide })
  return isLoopbackName(config.host) && !config.auth.required
}

function assemble(
  config: Config,
  {
    demo,
    configFile,
    mayOpen,
    ...parts
  }: Pick<Hub, 'engine' | 'keys' | 'people' | 'version' | 'push' | 'topics' | 'quarantine'> & {
    readonly mayOpen: boolean
    readonly demo: Demo
    readonly configFile: string | undefined
  },
): Hub {
  const { engine, people } = parts
  return {
    ...parts,
    trusted: new Networks(config.auth.trustedNetworks),
    origins: config.cors.origins,
    get open() {
      return mayOpen && people.size === 0
    },
    startedAt: systemClock.now(),
    defaultSite: config.site.id,
    modelStore: config.artifacts.store === 's3' ? `s3://${config.artifacts.bucket}` : 'models',
    ...waysOf(config),
    backup: () => streamBackup(config, { version: parts.version, configFile }, engine.freeze),
    removeSite: (site) => (demo.is(site) ? demo.remove() : engine.removeSite(site)),
  }
}

/** Answers under way are finished; a client that takes too long over its request is cut. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => server.server.closeAllConnections(), requestMsAtStop)
  await server.close()
  clearTimeout(limit)
}

const requestMsAtStop = 3000

async function listen(server: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    throw taken ? new HomeostatError('port_taken', { host, port, option: '--port N' }, error) : error
  }
}

/** Commands on this machine that may read the folder find the hub there, with a key that lives as long as it does. */
async function announce(claim: FolderClaim, url: string, keys: KeyRing): Promise<void> {
  const { key, secret } = createKey('commands on this machine', 'admin', null, systemClock.now())
  keys.add(key)
  await claim.announce({ url: url.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]'), secret })
}
