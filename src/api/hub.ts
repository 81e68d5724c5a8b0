import type { Readable } from 'node:stream'
import type { RouteHandlers, RouteRequest } from '../contract/route.ts'
import type { RouteName, Routes } from '../contract/routes.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import type { Engine } from '../engine/engine.ts'
import type { KeyRing } from './keys.ts'

/** The parts that the routes use; assembled by the composition root. */
export interface Hub {
  readonly engine: Engine
  readonly keys: KeyRing
  readonly version: string
  /** UTC ms. */
  readonly startedAt: number
  /** Requests without a key are accepted, which is only possible while bound to loopback. */
  readonly open: boolean
  readonly defaultSite: string
  /** Where learnt models are kept, for /health: a name, no path. */
  readonly modelStore: string
  readonly push: {
    /** The rows of a body; undefined where the body has none of the accepted forms. */
    rowsOf(body: unknown): RawReading[] | undefined
    take(rows: readonly RawReading[]): Promise<Receipt>
  }
  /** A backup as tar and gzip; it is made while it is read. */
  backup(): Promise<Readable>
  /** Stops the simulator of a demo site, then erases the site. */
  removeSite(site: string): Promise<void>
  readonly limits: {
    readonly batchReadings: number
    readonly inboxReadings: number
    readonly bodyBytes: number
    readonly clientBufferBytes: number
    readonly liveClients: number
    readonly requestsPerMinute: number
    readonly predictRows: number
    readonly recordsPerDomain: number
    readonly recordBytes: number
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
