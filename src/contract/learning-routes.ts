import { z } from 'zod'
import * as m from './model-schemas.ts'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

/** What is learnt from, and of what nothing is learnt. */
export const learningRoutes = {
  missingModels: {
    method: 'GET',
    path: '/api/v1/models/missing',
    summary: 'Targets that are measured and have no learnt model, and why',
    role: 'viewer',
    scope: 'query',
    query: s.query.models.omit({ metric: true }),
    reply: s.pageOf(z.object({ target: s.target, reason: z.string().describe('a sentence') })),
  },
  forgotten: {
    method: 'GET',
    path: '/api/v1/forgotten',
    summary: 'Spans of series that no model learns from',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    reply: s.pageOf(m.forgotten),
  },
  forget: {
    method: 'POST',
    path: '/api/v1/forgotten',
    summary: 'Forget a span of a series: its readings stay, models are learnt without it',
    role: 'operator',
    scope: 'body',
    body: m.forgetInput,
    reply: m.forgotten,
  },
  remember: {
    method: 'DELETE',
    path: '/api/v1/forgotten/:id',
    summary: 'Learn from a forgotten span again',
    role: 'operator',
    scope: 'body',
    params: z.object({ id: z.string() }),
    reply: z.object({ removed: z.string() }),
  },
} as const satisfies Record<string, Route>
