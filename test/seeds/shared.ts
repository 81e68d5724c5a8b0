import { door, held, open, type System, smoke, testsOf } from './row.ts'

const influx = testsOf('test/api/influx.test.ts')

/** Paths that several of the older systems use. */
export const shared: System = {
  name: 'shared',
  rows: [
    open('compat.ports', 'further ports answer like port 8000'),
    open(
      'auth.trustedNetworks',
      'networks whose devices need no key on the routes and topics of the older systems',
    ),
    held(
      'GET /',
      'the dashboard for browsers, otherwise a short status',
      door('is the page for a browser, also where a key is needed'),
      'Accept text/html status ok',
    ),
    open(
      'POST /predict',
      'an environment check or a smoke check, by the form of the body; 400 names both forms',
      'data box_name',
    ),
    held(
      'GET /health',
      'the fields of system E, and more',
      smoke('/health has the fields that its clients read'),
    ),
    held(
      'GET /livez',
      'the process runs',
      testsOf('test/api/routes.test.ts')('answers each asker as the table says, in the form of the contract'),
    ),
    held(
      'GET /readyz',
      'readings are taken',
      testsOf('test/api/routes.test.ts')('answers each asker as the table says, in the form of the contract'),
    ),
    held(
      'GET /metrics',
      'Prometheus text',
      testsOf('test/api/sites.test.ts')('/metrics is for keys of all sites'),
    ),
    held('/write', 'InfluxDB 1 line protocol', influx('%s: 204 without a body once the points are stored')),
    held(
      '/api/v2/write',
      'InfluxDB 2 line protocol',
      influx('%s: 204 without a body once the points are stored'),
    ),
    held('/ping', 'answers clients of InfluxDB', influx('%s answers 204 to everybody')),
    held(
      '/influx',
      'a prefix for all paths of InfluxDB, its health included',
      influx('health and ready are below /influx in the form of InfluxDB 2'),
      'health status pass',
    ),
    open('/v1/api/devices', 'the devices of system B, versioned'),
    open('/v1/devices', 'the devices of system B, versioned, short'),
    held(
      '/api/v1/devices',
      'the native devices keep their path',
      testsOf('test/api/pages.test.ts')('%s: every old one once, though others sort before it'),
    ),
    held('/docs', 'Swagger UI', door('%s loads')),
    held(
      '/redoc',
      'ReDoc',
      testsOf('test/e2e/redoc.test.ts')(
        'redoc: shows every route without another host, and answers with a slash at its end',
      ),
    ),
    held(
      '/openapi.json',
      'the OpenAPI document',
      door('/openapi.json describes every route of the contract, and every reference in it leads somewhere'),
    ),
    open('/admin/', 'the administration page'),
    open('/graphql', 'GraphQL'),
    held(
      'trailing slash',
      'every path answers with and without one',
      testsOf('test/api/routes.test.ts')('answers with and without a slash at its end'),
    ),
  ],
}
