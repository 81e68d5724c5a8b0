import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemBody } from '../contract/route.ts'
import { type ErrorCode, HomeostatError, problem, statusOf } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import type { Mount } from './mount.ts'

/**
 * Answers every failure with a code of the error table: as problem+json (RFC 9457), or as JSON in the form that
 * `shape` gives it.
 */
export const onError =
  (log: Log, shape?: (problem: ProblemBody) => object) =>
  (error: FastifyError | HomeostatError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof HomeostatError) {
      const detail = engineCodes.has(error.code) ? withoutEngine(log, error) : error.message
      return send(reply, error.code, detail, shape)
    }
    const known = fromFastify(error, request)
    if (known) return send(reply, known.code, known.message, shape)
    const reference = randomUUID()
    log.error('A request failed.', {
      reference,
      method: request.method,
      // clients of InfluxDB may send their key as the parameter p
      url: request.url.replace(/([?&]p=)[^&]*/g, '$1...'),
      error: error.stack,
    })
    return send(reply, 'internal', problem('internal', { reference }).message, shape)
  }

/** Their sentences quote what a store said, which may be SQL, values and paths. */
const engineCodes: ReadonlySet<ErrorCode> = new Set(['store_failed', 'change_not_stored', 'turn_refused'])

/** The sentence without what a store said, which goes to the log under a reference; a full disk is told. */
function withoutEngine(log: Log, { code, message }: HomeostatError): string {
  if (/disk is full|ENOSPC|EDQUOT|SQLITE_FULL|no space left/i.test(message))
    return problem(code, { detail: 'the disk is full' }).message
  const reference = randomUUID()
  log.warn('A store failed a request.', { reference, error: message })
  return problem(code, { detail: `the log names the reason under ${reference}` }).message
}

/** 404, or 405 with `Allow` where the path exists for other methods. */
export const onNotFound =
  ({ mounted }: Pick<Mount, 'mounted'>) =>
  (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const [path = ''] = request.url.split('?')
    const fits = mounted.filter(({ url }) => isAt(path, url)).map(({ route }) => route.method)
    if (fits.length === 0) {
      const { message } = problem('not_found', { what: `${request.method} ${path}` })
      return send(reply, 'not_found', message)
    }
    const allowed = [
      ...new Set(fits.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
    ].join(', ')
    const { message } = problem('method_not_allowed', { method: request.method, allowed })
    return send(reply.header('allow', allowed), 'method_not_allowed', message)
  }

/** Whether a path is one of a route, such as `/api/v1/keys/:id`. */
function isAt(path: string, route: string): boolean {
  const [given, wanted] = [path.replace(/\/$/, '').split('/'), route.replace(/\/$/, '').split('/')]
  return (
    given.length === wanted.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
  )
}

const clientErrors: Readonly<Record<string, ErrorCode>> = {
  HPE_INVALID_METHOD: 'method_not_allowed',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_too_slow',
}

/** What is not HTTP, or not in time: answered on the bare socket, which then ends. */
export function onClientError(error: ConnectionError, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const code = clientErrors[error.code ?? ''] ?? 'request_invalid'
  const known = {
    method: 'this method',
    allowed: 'GET, HEAD, POST, PUT, PATCH, DELETE',
    detail: 'it is not HTTP',
  }
  const body = JSON.stringify(bodyOf(code, problem(code, known).message))
  const status = statusOf(code)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 405 ? [`Allow: ${known.allowed}`] : []),
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function fromFastify(
  error: FastifyError,
  request: FastifyRequest,
): { code: ErrorCode; message: string } | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problem('body_too_large', { limit: request.routeOptions.bodyLimit ?? 0 })
  }
  if (error.statusCode === 429) return problem('rate_limited', { seconds: 60 })
  if (error.validation) return problem('request_invalid', { detail: whatIsWrong(error) })
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return problem('request_invalid', { detail: error.message.replace(/\.$/, '') })
  }
  return undefined
}

/** "querystring limit: Too big: expected number to be <=10000" */
function whatIsWrong(error: FastifyError): string {
  const issues = (error.validation ?? []).map(({ instancePath, message }) => {
    const path = instancePath.replace(/^\//, '').replaceAll('/', '.')
    return path === '' ? (message ?? '') : `"${path}": ${message}`
  })
  return `${error.validationContext ?? 'request'}: ${issues.join('; ')}`
}

function send(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  shape?: (problem: ProblemBody) => object,
): FastifyReply {
  const status = statusOf(code)
  if (status === 503) reply.header('retry-after', '1')
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  // the rest of a body that was refused is not read
  if (!reply.request.raw.complete) reply.header('connection', 'close')
  const body = bodyOf(code, detail)
  return reply
    .code(status)
    .type(shape ? 'application/json; charset=utf-8' : 'application/problem+json')
    .send(JSON.stringify(shape ? shape(body) : body))
}

const bodyOf = (code: ErrorCode, detail: string): ProblemBody => ({
  ...{
    type: `urn:homeostat:${code}`,
    title: code.replaceAll('_', ' '),
    status: statusOf(code),
    code,
    detail,
  },
})
