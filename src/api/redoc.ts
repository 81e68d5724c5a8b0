import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'

/** Within the folder of the built page; the build copies it there from its package. */
const script = 'redoc/redoc.standalone.js'

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Homeostat API</title>
    <link rel="icon" href="mark.svg">
    <style>body { margin: 0 }</style>
  </head>
  <body>
    <redoc spec-url="openapi.json" hide-download-button></redoc>
    <script src="${script}"></script>
  </body>
</html>
`

/** `/redoc`: the routes as ReDoc shows them. Its addresses are relative, so that it also works below a path of a proxy. */
export function registerRedoc(scope: FastifyInstance, webFolder: string): void {
  if (!existsSync(join(webFolder, script))) return
  const helmet = {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        // ReDoc sets styles on its elements, and searches in a worker that it makes from its own script
        'style-src': ["'self'", "'unsafe-inline'"],
        'worker-src': ["'self'", 'blob:'],
        'img-src': ["'self'", 'data:'],
        'object-src': ["'none'"],
        'base-uri': ["'self'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
  }
  scope.get('/redoc', { schema: { hide: true }, helmet }, (request, reply) => {
    const [path = ''] = request.url.split('?')
    if (path.endsWith('/')) return reply.redirect('../redoc')
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page)
  })
}
