import { z } from 'zod'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

const idParam = z.object({ id: z.string().max(64) })

const runningImport = z.object({
  id: z.string(),
  sites: z.array(z.string()),
  by: z.string(),
  since: z.number().describe('UTC ms'),
  expiresAt: z.number().describe('UTC ms at which it counts as ended unless it is announced again'),
})

const importInput = z.strictObject({
  sites: z.array(z.string().min(1).max(64)).min(1).max(1000).describe('Sites that readings come in for'),
})

/** Imports announce themselves, so that nothing is learnt from half a file. */
export const importRoutes = {
  imports: {
    method: 'GET',
    path: '/api/v1/imports',
    summary: 'Imports that run',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    // bounded by limits.imports
    reply: s.pageOf(runningImport),
  },
  beginImport: {
    method: 'POST',
    path: '/api/v1/imports',
    summary: 'Announce an import: trainings of its sites wait until it ends',
    role: 'operator',
    scope: 'body',
    body: importInput,
    reply: runningImport,
  },
  renewImport: {
    method: 'PUT',
    path: '/api/v1/imports/:id',
    summary: 'Announce again that an import goes on',
    role: 'operator',
    scope: 'body',
    params: idParam,
    body: importInput,
    reply: runningImport,
  },
  endImport: {
    method: 'DELETE',
    path: '/api/v1/imports/:id',
    summary: 'End an import: trainings that waited for it begin',
    role: 'operator',
    scope: 'body',
    params: idParam,
    reply: z.object({ ended: z.string() }),
  },
} as const satisfies Record<string, Route>
