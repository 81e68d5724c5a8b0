import type { BodyOf, ParamsOf, QueryOf, ReplyOf, RouteName } from '../contract/routes.ts'
import type { Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import type { Engine } from '../engine/engine.ts'
import type { Caller } from './auth.ts'
import type { KeyRing } from './keys.ts'

/** What the routes work on; put together by the composition root. */
export interface Hub {
  readonly engine: Engine
  readonly keys: KeyRing
  readonly version: string
  /** UTC ms. */
  readonly startedAt: number
  /** Requests without a key are taken: bound to loopback. */
  readonly open: boolean
  readonly defaultSite: string
  /** Where learnt models are kept, for /health: a name, no path. */
  readonly modelStore: string
  readonly push: {
    /** Rows of a body; undefined where it is none of the accepted forms. */
    rowsOf(body: unknown): RawReading[] | undefined
    take(rows: readonly RawReading[]): Promise<Receipt>
  }
  /** Stops what feeds a site (the simulator of the demo), then erases it. */
  removeSite(site: string): Promise<void>
  readonly limits: {
    readonly batchReadings: number
    readonly inboxReadings: number
    readonly bodyBytes: number
    readonly clientBufferBytes: number
    readonly liveClients: number
    readonly requestsPerMinute: number
    readonly predictRows: number
  }
}

/** A request that was parsed by the contract and may be answered. */
export interface Ask<Name extends RouteName> {
  readonly query: QueryOf<Name>
  readonly params: ParamsOf<Name>
  readonly body: BodyOf<Name>
  readonly caller: Caller
  /** Sites that the answer may speak of; null means all. */
  readonly sites: readonly string[] | null
  /** Answers with another status than 200. */
  status(code: number): void
}

export type Handler<Name extends RouteName> = (ask: Ask<Name>) => Promise<ReplyOf<Name>> | ReplyOf<Name>

/** One handler for every route of the contract: tsc fails while one is missing. */
export type Handlers<Name extends RouteName = RouteName> = { readonly [Key in Name]: Handler<Key> }

/** Keeps what the caller may see. */
export const within = <Item extends { readonly site: string }>(
  items: readonly Item[],
  sites: readonly string[] | null,
): Item[] => (sites === null ? [...items] : items.filter(({ site }) => sites.includes(site)))
