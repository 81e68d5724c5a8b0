import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { influxCodeOf, influxV1Table, influxV2Table } from '../../contract/influx.ts'
import type { Caller, RouteHandlers } from '../../contract/route.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { Receipt } from '../../core/ports.ts'
import { type BodyGate, largeBytes } from '../body-gate.ts'
import { pageOf } from '../cursor.ts'
import { type Handlers, type Hub, type InfluxRows, within } from '../hub.ts'
import type { Mount } from '../mount.ts'
import { inReach } from './readings.ts'

/** A body as it came. */
interface Body {
  readonly bytes: Buffer
  /** The header Content-Encoding. */
  readonly encoding: string
}

/** The interface of InfluxDB 1 and 2, in a scope of its own: its bodies are taken as bytes, whatever their type. */
export async function registerInflux(
  scope: FastifyInstance,
  hub: Hub,
  mount: Mount,
  bodies: BodyGate,
): Promise<void> {
  scope.removeAllContentTypeParsers()
  scope.addHook('onRequest', (request, reply, done) => {
    // after the answer, or when the client has gone
    reply.raw.once('close', () => bodies.release(request))
    done()
  })
  scope.addContentTypeParser(
    '*',
    async (request: FastifyRequest, payload: IncomingMessage): Promise<Body> => ({
      bytes: await bodies.readBytes(request, payload),
      encoding: request.headers['content-encoding'] ?? '',
    }),
  )
  await mount.add(scope, influxV1Table, v1Handlers(hub, bodies))
  await mount.add(scope, influxV2Table, v2Handlers(hub, bodies))
}

/** The version of InfluxDB that has both interfaces. */
const version = '1.8.10'

const v1Handlers = (hub: Hub, bodies: BodyGate): RouteHandlers<(typeof influxV1Table)['routes']> => ({
  async writeV1({ query: { db = '', precision = 'ns' }, body, caller, status, header }) {
    const written = await write(hub, bodies, body as Body | undefined, { database: db, precision, caller })
    if (written.leftOut > 0) header(leftOutHeader, String(written.leftOut))
    status(written.refused === 0 ? 204 : 400)
    return written.refused === 0 ? '' : { error: messageOf(written) }
  },

  ping({ status, header }) {
    header('x-influxdb-version', version)
    header('x-influxdb-build', 'homeostat')
    status(204)
    return ''
  },

  query: ({ query, sites, status }) => answerQuery(hub, query.q, sites, status),

  queryByForm({ query, body, sites, status }) {
    const form = new URLSearchParams((body as Body | undefined)?.bytes.toString() ?? '')
    return answerQuery(hub, form.get('q') ?? query.q, sites, status)
  },
})

const v2Handlers = (hub: Hub, bodies: BodyGate): RouteHandlers<(typeof influxV2Table)['routes']> => ({
  async writeV2({ query: { bucket = '', precision = 'ns' }, body, caller, status, header }) {
    const written = await write(hub, bodies, body as Body | undefined, {
      database: bucket,
      precision,
      caller,
    })
    if (written.leftOut > 0) header(leftOutHeader, String(written.leftOut))
    status(written.refused === 0 ? 204 : 400)
    const [first] = written.named
    return first ? { code: influxCodeOf(400), message: messageOf(written), line: first.line } : ''
  },

  buckets({ query: { name, limit, offset }, sites }) {
    const found = siteNames(hub, sites).filter((site) => name === undefined || site === name)
    const buckets = found.slice(offset, offset + limit).map((site) => ({
      ...{ id: idOf(site), orgID: orgId, name: site, type: 'user' as const },
      retentionRules: [],
    }))
    return { buckets }
  },

  flux({ body, sites, status, type }) {
    if (queryOf(body as Body | undefined) !== 'buckets()') {
      status(400)
      return { code: influxCodeOf(400), message: 'this hub answers the query buckets() only' }
    }
    type('text/csv; charset=utf-8')
    return bucketTable(siteNames(hub, sites))
  },

  health: () => ({
    ...{ name: 'influxdb', status: 'pass', version },
    message: `Homeostat ${hub.version} takes writes here`,
  }),

  ready: () => ({
    status: 'ready',
    started: new Date(hub.startedAt).toISOString(),
    up: `${Math.round((hub.engine.clock.now() - hub.startedAt) / 1000)}s`,
  }),
})

/** What was left out or merged, for the hub's own API. */
export const influxNoteRoutes = (hub: Hub): Handlers<'influxNotes'> => ({
  influxNotes: ({ query, sites }) =>
    pageOf(
      within(hub.influx.notes(), sites),
      query,
      ['string', 'string', 'string', 'string'],
      ({ site, measurement, field, kind }) => [site, measurement, field, kind],
    ),
})

const leftOutHeader = 'x-homeostat-left-out'

interface Written {
  /** Rows. */
  accepted: number
  refused: number
  leftOut: number
  /** The first of those that were refused. */
  readonly named: { readonly line: number; readonly text: string }[]
}

const namedMax = 100

/** Resolves when all is stored that can be. */
async function write(
  hub: Hub,
  bodies: BodyGate,
  body: Body | undefined,
  target: { readonly database: string; readonly precision: string; readonly caller: Caller },
): Promise<Written> {
  const { precision, caller } = target
  if (!hub.influx.isPrecision(precision)) {
    const detail = `the precision "${precision}" is none of ns, us, ms, s, m and h`
    throw new HomeostatError('request_invalid', { detail })
  }
  const written: Written = { accepted: 0, refused: 0, leftOut: 0, named: [] }
  if (!body || body.bytes.length === 0) return written
  const { inboxReadings, batchReadings } = hub.limits
  if (hub.engine.isFull('push')) throw new HomeostatError('overloaded', { limit: inboxReadings })
  const hand = async (bytes: Buffer): Promise<{ readonly last: Promise<void> }> => {
    const about = { database: target.database, precision, rowsMax: batchReadings, sites: caller.sites }
    let last = Promise.resolve()
    for (const batch of hub.influx.read(bytes, about)) {
      await last
      last = take(hub, batch, caller, written)
    }
    return { last }
  }
  const { bytes, encoding } = body
  const isPacked = requirePacking(encoding)
  const { last } =
    isPacked || bytes.length > largeBytes
      ? await bodies.enter(async () => hand(isPacked ? await unpacked(bytes, hub.limits.bodyBytes) : bytes))
      : await hand(bytes)
  await last
  return written
}

async function take(hub: Hub, batch: InfluxRows, caller: Caller, written: Written): Promise<void> {
  written.leftOut += batch.leftOut
  if (batch.rows.length === 0) return
  const receipt = await hub.push.take(inReach(batch.rows, caller, hub.defaultSite))
  written.accepted += receipt.accepted
  written.refused += receipt.rejected.length
  for (const refusal of receipt.rejected.slice(0, namedMax - written.named.length)) {
    written.named.push({ line: batch.lines[refusal.index] ?? 0, text: textOf(batch, refusal) })
  }
}

function textOf(
  { rows, lines, faults }: InfluxRows,
  { index, problem }: Receipt['rejected'][number],
): string {
  const row = rows[index]
  const line = lines[index] ?? 0
  const fault = faults.get(index)
  if (fault !== undefined) return `unable to parse '${row?.payload ?? ''}' (line ${line}): ${fault}`
  return `unable to store "${String(row?.metric)}" of "${String(row?.device)}" (line ${line}): ${problem.message}`
}

/** In the words of InfluxDB, which clients look for: "partial write", "unable to parse", "dropped=". */
function messageOf({ accepted, refused, named }: Written): string {
  const more = refused > named.length ? `\nand ${refused - named.length} more` : ''
  const reasons = named.map(({ text }) => text).join('\n') + more
  return accepted === 0 ? reasons : `partial write: ${reasons} dropped=${refused}`
}

/** Whether the body is packed; refuses packings other than gzip. */
function requirePacking(encoding: string): boolean {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity') return false
  if (name === 'gzip') return true
  throw new HomeostatError('request_invalid', { detail: `Content-Encoding "${encoding}": gzip is taken` })
}

const unpacked = (bytes: Buffer, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: limit }, (error, plain) => {
      if (!error) resolve(plain)
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
        reject(new HomeostatError('body_too_large', { limit }))
      else reject(new HomeostatError('request_invalid', { detail: `the body is no gzip: ${error.message}` }))
    })
  })

type Sites = readonly string[] | null

const siteNames = (hub: Hub, sites: Sites): string[] =>
  [...new Set([hub.defaultSite, ...hub.engine.sites().map(({ id }) => id)])].filter(
    (id) => sites === null || sites.includes(id),
  )

/** Clients ask for the databases and make theirs; the only queries of InfluxQL that are understood. */
function answerQuery(hub: Hub, query = '', sites: Sites, status: (code: number) => void) {
  const text = query.trim().replace(/;$/, '').trim()
  if (/^create\s+database\s/i.test(text)) return { results: [{ statement_id: 0 }] }
  if (/^show\s+databases$/i.test(text)) {
    const values = siteNames(hub, sites).map((name) => [name])
    return { results: [{ statement_id: 0, series: [{ name: 'databases', columns: ['name'], values }] }] }
  }
  status(400)
  return { error: 'this hub answers the queries SHOW DATABASES and CREATE DATABASE only' }
}

function queryOf(body: Body | undefined): string {
  const text = body?.bytes.toString('utf8', 0, 10_000).trim() ?? ''
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'query' in parsed) return String(parsed.query).trim()
  } catch {
    // not JSON: the query itself
  }
  return text
}

/** Identifiers of InfluxDB have 16 hexadecimal digits. */
const orgId = '0000000000000001'
const idOf = (site: string): string => Buffer.from(site).toString('hex').padEnd(16, '0').slice(0, 16)

/** Annotated CSV, as Flux answers. */
function bucketTable(names: readonly string[]): string {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const rows = names.map((name) => `,,0,${quoted(name)},${idOf(name)},${orgId},,0`)
  return [
    '#datatype,string,long,string,string,string,string,long',
    '#group,false,false,false,false,true,false,false',
    '#default,_result,,,,,,',
    ',result,table,name,id,organizationID,retentionPolicy,retentionPeriod',
    ...rows,
    '',
    '',
  ].join('\r\n')
}
