import { createServer as createHttpServer } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { isStillValid, ofSecret } from './api/auth.ts'
import type { Hub } from './api/hub.ts'
import { isLoopbackName } from './api/networks.ts'
import type { Config } from './config/load.ts'
import type { Caller } from './contract/route.ts'
import { HomeostatError } from './core/errors.ts'
import type { Log } from './core/ports.ts'
import { Certificate, type CertificatePair } from './platform/certificate.ts'
import { systemClock } from './platform/clock.ts'
import { createMqttAlerts } from './sinks/mqtt-alerts.ts'
import type { Authenticate } from './sources/mqtt/admission.ts'
import type { TopicReader } from './sources/mqtt/reader.ts'

/** Part of the composition root: the certificate, and MQTT with who may use it. */

/** The certificate of tls.cert, read again when it changes. */
export async function openCertificate(
  { tls: { cert, key, checkSeconds } }: Config,
  log: Log,
  stops: (() => Promise<unknown>)[],
): Promise<Certificate | undefined> {
  if (cert === undefined || key === undefined) return undefined
  const certificate = await Certificate.open({ cert, key }, log)
  certificate.watch(checkSeconds * 1000)
  stops.push(async () => certificate.close())
  return certificate
}

export function setCertificate({ server }: FastifyInstance, pair: CertificatePair): void {
  if (server instanceof TlsServer) server.setSecureContext(pair)
}

/** Commands on this machine do not know the certificate's name: they ask over a port of their own, on loopback only. */
export async function listenHere(
  server: FastifyInstance,
  stops: (() => Promise<unknown>)[],
): Promise<string> {
  await server.ready()
  const here = createHttpServer((request, response) => server.routing(request, response))
  await new Promise<void>((resolve, reject) => {
    here.once('error', reject)
    here.listen(0, '127.0.0.1', resolve)
  })
  stops.push(
    () =>
      new Promise((resolve) => {
        here.close(resolve)
        here.closeIdleConnections()
      }),
  )
  const address = here.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** Starts what takes readings over MQTT; resolves when it does. */
export async function startMqtt(
  config: Config,
  hub: Hub,
  {
    topics,
    log,
    tls,
  }: { readonly topics: TopicReader; readonly log: Log; readonly tls: Certificate | undefined },
): Promise<void> {
  const { mqtt, limits, site } = config
  const { engine } = hub
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
    authenticate: mqttAccess(config, hub),
    tls,
    ...shared,
  })
  engine.addSink(createMqttAlerts(source.link))
  const { done } = engine.startSource(source)
  while (!source.health().ready) await Promise.race([done, systemClock.sleep(5)])
}

/**
 * The password is an API key or an access token; the user name is free. Sessions belong to the key, or to the user on
 * whatever device: they end with the sign-in that last used them.
 */
function mqttAccess({ mqtt }: Config, hub: Hub): Authenticate {
  const seedTopics = [`${mqtt.topicPrefix.replace(/\/sensors$/, '')}/`]
  return async ({ username, password, address }) => {
    if (hub.open && isLoopbackName(mqtt.host))
      return { key: 'this machine', sites: null, isValid: () => hub.open }
    if (password === '' && username === '' && hub.trusted?.contains(address))
      return { key: 'local network', sites: null, topics: seedTopics, isValid: () => true }
    const caller = callerOf(password, hub)
    if (caller === undefined || caller.role === 'viewer') return undefined
    const { kind, sites, keyId, userId } = caller
    return { key: `${kind} ${keyId ?? userId}`, sites, isValid: () => isStillValid(caller, hub) }
  }
}

/** Undefined for a secret that is not valid. */
function callerOf(secret: string, hub: Hub): Caller | undefined {
  try {
    return ofSecret(secret, hub)
  } catch (error) {
    if (error instanceof HomeostatError) return undefined
    throw error
  }
}
