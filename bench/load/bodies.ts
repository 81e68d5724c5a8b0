import { type HttpLoad, messageOf } from './spec.ts'
import type { Stamp } from './stamp.ts'

/** One encoded HTTP/1.1 request; the times in it are written over before each use. */
export interface Request {
  readonly bytes: Buffer
  readonly stamps: Int32Array
}

/** Bytes of one connection's prepared requests at most, beside one request. */
const preparedBytesMax = 2_000_000

/** The requests that a connection sends in turn: together `prepared` readings, or as many as memory allows. */
export function encodeRequests(load: HttpLoad, connection: number): Request[] {
  const requests: Request[] = []
  const wanted = preparedRequests(load)
  for (let i = 0; i < wanted; i++) requests.push(encode(load, connection, i * load.batch))
  return requests
}

/** Requests that a connection prepares; k-th reading of a connection is reading k mod (this x batch) with a new time. */
export function preparedRequests(load: HttpLoad): number {
  return Math.max(1, Math.floor(Math.min(load.prepared, preparedBytesMax / 120) / load.batch))
}

/** Sets the times of the readings k, k+1, ... of the request. */
export function stampRequest(load: HttpLoad, request: Request, k: number, stamp: Stamp): void {
  const { bytes, stamps } = request
  for (let i = 0; i < stamps.length; i++) {
    if (load.format === 'json') stamp.iso(bytes, stamps[i]!, load.baseAt + k + i)
    else stamp.digits(bytes, stamps[i]!, load.baseAt + k + i)
  }
}

const isoMarker = '0000-00-00T00:00:00.000Z'
const digitsMarker = '0000000000000'

function encode(load: HttpLoad, connection: number, k: number): Request {
  const rows: string[] = []
  for (let i = 0; i < load.batch; i++) {
    rows.push(load.format === 'json' ? jsonRow(load, connection, k + i) : lineRow(load, connection, k + i))
  }
  // all text is ASCII: characters are bytes
  const body = load.format === 'json' ? `{"readings":[${rows.join(',')}]}` : `${rows.join('\n')}\n`
  const type = load.format === 'json' ? 'application/json' : 'text/plain'
  const headers = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${load.path} HTTP/1.1\r\nhost: 127.0.0.1:${load.port}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n${headers.join('')}\r\n`
  const bytes = Buffer.from(head + body, 'latin1')
  const stamps = new Int32Array(load.batch)
  const marker = load.format === 'json' ? isoMarker : digitsMarker
  let from = head.length
  for (let i = 0; i < load.batch; i++) {
    from = bytes.indexOf(marker, from, 'latin1')
    stamps[i] = from
    from += marker.length
  }
  return { bytes, stamps }
}

function jsonRow(load: HttpLoad, connection: number, k: number): string {
  const { device, metric, value, unit, room } = messageOf(load, connection, k)
  return `{"device":"${device}","metric":"${metric}","value":${value},"unit":"${unit}","at":"${isoMarker}","room":"${room}"}`
}

function lineRow(load: HttpLoad, connection: number, k: number): string {
  const { device, metric, value, unit, room } = messageOf(load, connection, k)
  return `reading,device=${device},metric=${metric},room=${room},unit=${unit} value=${value} ${digitsMarker}`
}
