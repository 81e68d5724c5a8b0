import type { Readable } from 'node:stream'
import type { RouteHandlers, RouteRequest } from '../contract/route.ts'
import type { RouteName, Routes } from '../contract/routes.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import type { Engine } from '../engine/engine.ts'
import type { QuarantineDesk } from '../engine/quarantine-desk.ts'
import type { TopicDesk } from '../engine/topic-desk.ts'
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
  readonly influx: {
    isPrecision(precision: string): boolean
    /** The readings of a body of line protocol, some at a time. */
    read(bytes: Buffer, body: InfluxBody): Iterable<InfluxRows>
    notes(): readonly InfluxNote[]
  }
  readonly topics: TopicDesk
  readonly quarantine: QuarantineDesk
  /** A backup as tar and gzip; it is made while it is read. */
  backup(): Promise<Readable>
  /** Stops the simulator of a demo site, then erases the site. */
  removeSite(site: string): Promise<void>
  readonly limits: {
    readonly batchReadings: number
    readonly inboxReadings: number
    readonly bodyBytes: number
    readonly bodiesBytes: number
    readonly clientBufferBytes: number
    readonly clientPendingBytes: number
    readonly liveClients: number
    readonly ingestClients: number
    readonly frameBytes: number
    readonly requestsPerMinute: number
    readonly predictRows: number
    readonly recordsPerDomain: number
    readonly recordBytes: number
    readonly headersSeconds: number
    readonly requestSeconds: number
    readonly exports: number
    readonly exportIdleMs: number
  }
}

/** What a body of line protocol is about. */
export interface InfluxBody {
  /** Database or bucket; may be empty. */
  readonly database: string
  readonly precision: string
  /** Rows at a time. */
  readonly rowsMax: number
  /** Sites that the sender reaches; null: all. */
  readonly sites: readonly string[] | null
}

/** Some rows of such a body. */
export interface InfluxRows {
  readonly rows: readonly RawReading[]
  /** Line of each row, from 1. */
  readonly lines: readonly number[]
  /** What is wrong with a line that is none, in InfluxDB's words, by the index of its row. */
  readonly faults: ReadonlyMap<number, string>
  /** Text fields that were left out. */
  readonly leftOut: number
}

export interface InfluxNote {
  readonly kind: 'text' | 'merged'
  readonly site: string
  readonly measurement: string
  readonly field: string
  readonly count: number
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
