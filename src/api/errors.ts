import { randomUUID } from 'node:crypto'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemBody } from '../contract/route.ts'
import { type ErrorCode, HomeostatError, problem, statusOf } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'

/**
 * Answers every failure with a code of the error table: as problem+json (RFC 9457), or as JSON in the form that
 * `bodyOf` gives it.
 */
export const onError =
  (log: Log, bodyOf?: (problem: ProblemBody) => object) =>
  (error: FastifyError | HomeostatError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof HomeostatError) return send(reply, error.code, error.message, bodyOf)
    const known = fromFastify(error, request)
    if (known) return send(reply, known.code, known.message, bodyOf)
    const reference = randomUUID()
    log.error('A request failed.', {
      reference,
      method: request.method,
      // clients of InfluxDB may send their key as the parameter p
      url: request.url.replace(/([?&]p=)[^&]*/g, '$1...'),
      error: error.stack,
    })
    return send(reply, 'internal', problem('internal', { reference }).message, bodyOf)
  }

export const onNotFound = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { message } = problem('not_found', { what: `${request.method} ${request.url.split('?')[0]}` })
  return send(reply, 'not_found', message)
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
  bodyOf?: (problem: ProblemBody) => object,
): FastifyReply {
  const status = statusOf(code)
  if (status === 503) reply.header('retry-after', '1')
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const title = code.replaceAll('_', ' ')
  const body: ProblemBody = { type: `urn:homeostat:${code}`, title, status, code, detail }
  return reply
    .code(status)
    .type(bodyOf ? 'application/json; charset=utf-8' : 'application/problem+json')
    .send(JSON.stringify(bodyOf ? bodyOf(body) : body))
}
