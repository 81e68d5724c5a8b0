import { z } from 'zod'
import { routeTable } from './route.ts'

export const metricsTable = routeTable({
  name: 'metrics',
  routes: {
    metrics: {
      method: 'GET',
      path: '/metrics',
      summary: 'Counters of the hub in the Prometheus text format',
      role: 'viewer',
      scope: 'hub',
      reply: z.string(),
      // a scraper polls at its own fixed rate
      rateLimit: 'none',
    },
  },
})
