import type { RouteHandlers, RouteRequest } from '../contract/route.ts'
import type { RouteName, Routes } from '../contract/routes.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import type { Engine } from '../engine/engine.ts'
import type { KeyRing } from './keys.ts'
import type { Networks } from './networks.ts'
import type { People } from './people.ts'

/** The parts that the routes use; assembled by the composition root. */
export interface Hub {
  readonly engine: Engine
  readonly keys: KeyRing
  readonly people: People
  /** Networks whose devices need no key on the routes of the older systems. */
  readonly trusted?: Networks
  /** Pages of other origins that may ask. */
  readonly origins?: readonly string[]
  readonly version: string
  /** UTC ms. */
  readonly startedAt: number
  /** Requests without a key are accepted, which is only possible while bound to loopback and without users. */
  readonly open: boolean
  readonly defaultSite: string
  /** Where learnt models are kept, for /health: a name, no path. */
  readonly modelStore: string
  readonly push: {
    /** The rows of a body; undefined where the body has none of the accepted forms. */
    rowsOf(body: unknown): RawReading[] | undefined
    /** How many these are, without making them. */
    countRows(body: unknown): number | undefined
    take(rows: readonly RawReading[]): Promise<Receipt>
  }
  /** Stops the simulator of a demo site, then erases the site. */
  removeSite(site: string): Promise<void>
  readonly limits: {
    readonly batchReadings: number
    readonly inboxReadings: number
    readonly bodyBytes: number
    readonly bodiesBytes: number
    readonly clientBufferBytes: number
    readonly liveClients: number
    readonly requestsPerMinute: number
    readonly predictRows: number
    readonly recordsPerDomain: number
    readonly recordBytes: number
    readonly headersSeconds: number
    readonly requestSeconds: number
  }
}

/** A parsed request to one of the hub's own routes. */
export type HubRequest<Name extends RouteName> = RouteRequest<Routes[Name]>

/** Handlers of some of the hub's own routes; of all of them by default. */
export type Handlers<Name extends RouteName = RouteName> = Pick<RouteHandlers<Routes>, Name>

/** The items of these sites; null means all. */
export const within = <Item extends { readonly site: string }>(
  items: readonly Item[],
  sites: readonly string[] | null,
): Item[] => (sites === null ? [...items] : items.filter(({ site }) => sites.includes(site)))
