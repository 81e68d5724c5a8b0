import type { FastifyInstance } from 'fastify'
import type { Caller } from '../contract/route.ts'
import type { Log } from '../core/ports.ts'
import type { Mount } from './mount.ts'

/** Upper bounds in seconds. */
const bounds = [0.005, 0.025, 0.1, 0.5, 2.5, 10] as const

/** Combinations of labels that are kept; routes times methods times statuses are far fewer. */
const seriesMax = 2000

interface Histogram {
  readonly counts: Float64Array
  seconds: number
  count: number
}

/** How long requests took, by route. Labels are bounded: a route is a pattern of the contract, never a path. */
export class RequestTimes {
  readonly #histograms = new Map<string, Histogram>()

  observe(method: string, route: string, status: number, seconds: number): void {
    const labels = `method="${method}",route="${route}",status="${status}"`
    let histogram = this.#histograms.get(labels)
    if (!histogram) {
      if (this.#histograms.size >= seriesMax) return
      histogram = { counts: new Float64Array(bounds.length), seconds: 0, count: 0 }
      this.#histograms.set(labels, histogram)
    }
    histogram.seconds += seconds
    histogram.count++
    const { counts } = histogram
    for (let i = 0; i < bounds.length; i++) if (seconds <= bounds[i]!) counts[i]!++
  }

  /** In the Prometheus text format. */
  text(): string {
    const name = 'homeostat_http_request_duration_seconds'
    const lines = [`# HELP ${name} Time to answer a request, by route`, `# TYPE ${name} histogram`]
    for (const [labels, { counts, seconds, count }] of this.#histograms) {
      bounds.forEach((bound, i) => {
        lines.push(`${name}_bucket{le="${bound}",${labels}} ${counts[i]}`)
      })
      lines.push(`${name}_bucket{le="+Inf",${labels}} ${count}`)
      lines.push(`${name}_sum{${labels}} ${seconds}`, `${name}_count{${labels}} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }
}

/** Asked every few seconds by machines; a line each would hide the others. */
const silent: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/metrics'])

/** Times every request and, with `access`, writes a line for it: no path, no query, no secret. */
export function registerTimes(
  server: FastifyInstance,
  mount: Pick<Mount, 'callerOf'>,
  { times, log, access }: { readonly times: RequestTimes; readonly log: Log; readonly access: boolean },
): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? '(none)'
    const ms = reply.elapsedTime
    times.observe(method, route, reply.statusCode, ms / 1000)
    if (access && !silent.has(route)) {
      const caller = mount.callerOf(request)
      log.info('Request.', {
        ...{ method, route, status: reply.statusCode, ms: Math.round(ms * 10) / 10 },
        ...(caller && { by: nameOf(caller) }),
      })
    }
    done()
  })
}

/** Ids, not names: names of keys and users may be anything. */
const nameOf = ({ kind, keyId, userId }: Caller): string => keyId ?? userId ?? kind
