import type { FastifyInstance } from 'fastify'

const allowed = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, x-api-key',
  'access-control-max-age': '600',
}

/**
 * Lets pages of exactly these origins read answers (Fetch standard, 3.2). They send a key or a token: there is no
 * access-control-allow-credentials, so a browser never adds a cookie.
 */
export function registerCors(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    // a cache must not give the answer for one origin to another
    reply.header('vary', 'Origin')
    if (origin === undefined || !origins.includes(origin)) return done()
    reply.header('access-control-allow-origin', origin)
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!isPreflight) return done()
    reply.code(204).headers(allowed).send()
  })
}
