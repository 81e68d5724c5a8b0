import type { FastifyInstance } from 'fastify'
import { isLoopbackName } from './api/auth.ts'
import { openDesks } from './api/desks.ts'
import type { Hub } from './api/hub.ts'
import { createKey, KeyRing } from './api/keys.ts'
import { streamBackup } from './backup.ts'
import { checksOf, createEngine, createTopicReader, type EngineChoices, waysOf } from './compose.ts'
import type { Config } from './config/load.ts'
import { HomeostatError } from './core/errors.ts'
import type { Log } from './core/ports.ts'
import { Demo } from './demo.ts'
import type { Engine } from './engine/engine.ts'
import { systemClock } from './platform/clock.ts'
import { explainStart, keepReserve, releaseReserve } from './platform/disk.ts'
import { claimFolder, type FolderClaim } from './platform/folder.ts'
import { createMqttAlerts } from './sinks/mqtt-alerts.ts'
import type { TopicReader } from './sources/mqtt/reader.ts'
import { createPushSource, rowsOf } from './sources/push.ts'

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
    const open = mayBeOpen(config, keys)
    const push = createPushSource()
    engine.startSource(push)
    const demo = new Demo(engine, config, log)
    const topics = createTopicReader(config, engine)
    const take: Hub['push']['take'] = (rows) => push.push(rows)
    const { limits } = config
    const desks = await openDesks({ engine, topics, log, take, checks: checksOf(config), limits })
    const hub = assemble(config, {
      ...desks,
      engine,
      keys,
      open,
      version,
      push: { rowsOf, take },
      demo,
      configFile,
    })
    const server = await createServer(hub, { webFolder, log })
    stops.push(() => closeServer(server))
    await startMqtt(config, { engine, keys, open, topics, log })
    const url = await listen(server, config)
    await announce(claim, url, keys).catch((error: unknown) =>
      log.warn('Commands on this machine will not find the hub.', { error: String(error) }),
    )
    await demo.startIfWanted()
    await keepReserve(config.data).catch((error: unknown) =>
      log.warn('No room is kept for a start on a full disk.', { error: String(error) }),
    )
    log.info('Homeostat is ready.', { url, data: config.data, open })
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

/** Loopback needs no key; anything wider needs one, and at least one must exist, or nobody could come in. */
function mayBeOpen(config: Config, keys: KeyRing): boolean {
  const hosts = [
    config.host,
    ...(config.mqtt.enabled && config.mqtt.url === undefined ? [config.mqtt.host] : []),
  ]
  const wide = hosts.find((host) => !isLoopbackName(host))
  if (wide !== undefined && keys.size === 0) throw new HomeostatError('auth_required', { host: wide })
  return isLoopbackName(config.host) && !config.auth.required
}

function assemble(
  config: Config,
  {
    demo,
    configFile,
    ...parts
  }: Pick<Hub, 'engine' | 'keys' | 'open' | 'version' | 'push' | 'topics' | 'quarantine'> & {
    readonly demo: Demo
    readonly configFile: string | undefined
  },
): Hub {
  const { engine } = parts
  return {
    ...parts,
    startedAt: systemClock.now(),
    defaultSite: config.site.id,
    modelStore: config.artifacts.store === 's3' ? `s3://${config.artifacts.bucket}` : 'models',
    ...waysOf(config),
    backup: () => streamBackup(config, { version: parts.version, configFile }, engine.freeze),
    removeSite: (site) => (demo.is(site) ? demo.remove() : engine.removeSite(site)),
  }
}

async function startMqtt(
  config: Config,
  {
    engine,
    keys,
    open,
    topics,
    log,
  }: Pick<Hub, 'engine' | 'keys' | 'open'> & {
    readonly topics: TopicReader
    readonly log: Log
  },
): Promise<void> {
  const { mqtt, limits, site } = config
  if (!mqtt.enabled) return
  const { createMqttSource } = await import('./sources/mqtt.ts')
  const { payloadBytes, turnReadings: batchReadings, listenMessages } = limits
  const shared = { topics, mappings: mqtt.mappings, payloadBytes, batchReadings, log }
  if (mqtt.url !== undefined) {
    const { url, username, password, listenTo } = mqtt
    const clientId = `homeostat-${site.id}`
    const external = { url, username, password, clientId, listenTo, listenMessages }
    const source = createMqttSource({ kind: 'external', ...external, ...shared })
    engine.addSink(createMqttAlerts(source.link))
    engine.startSource(source)
    return
  }
  const openToAll = open && isLoopbackName(mqtt.host)
  const source = createMqttSource({
    kind: 'broker',
    host: mqtt.host,
    port: mqtt.port,
    defaultSite: site.id,
    clientBufferBytes: limits.clientBufferBytes,
    clientPendingBytes: limits.clientPendingBytes,
    sessionBytes: limits.mqttSessionBytes,
    retainedBytes: limits.mqttRetainedBytes,
    refusedSubscriptions: mqtt.refusedSubscriptions,
    // the password is the API key; the user name is free
    authenticate: openToAll
      ? undefined
      : async (_username, password) => {
          const key = keys.find(password)
          return key && key.role !== 'viewer' ? { key: key.id, sites: key.sites } : undefined
        },
    isValid: (key) => keys.has(key),
    ...shared,
  })
  engine.addSink(createMqttAlerts(source.link))
  const { done } = engine.startSource(source)
  while (!source.health().ready) await Promise.race([done, systemClock.sleep(5)])
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
