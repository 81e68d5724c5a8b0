import type { z } from 'zod'

/**
 * A route: what is asked, who may ask, over which sites, what comes back.
 *
 * `scope`: `query` - the `site` of the query, or all sites of the key where it is absent, narrows what is seen;
 * `params` - the `site` of the path; `body` - the handler checks each row; `hub` - concerns no single site and
 * needs a key for all sites; `none` - tells nothing of any site.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly role: 'public' | 'viewer' | 'operator' | 'admin'
  readonly scope: 'query' | 'params' | 'body' | 'hub' | 'none'
  readonly query?: z.ZodType
  readonly params?: z.ZodType
  readonly body?: z.ZodType
  readonly reply: z.ZodType
}
