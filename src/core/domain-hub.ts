import { HomeostatError } from './errors.ts'
import type { Device, ModelRef, Rollup, SeriesKey, Site } from './event.ts'
import type { ReadingFilter, ReadingPosition } from './ports.ts'
import type { Reading } from './reading.ts'
import type { DomainRecord } from './record.ts'
import type { Target } from './target.ts'

/** Sites that a caller may see and change; null: all. It comes with each request. */
export type Reach = readonly string[] | null

/**
 * The hub as one domain's routes use it at run time. Every method that concerns sites takes the reach of the caller:
 * lists are narrowed to it, and a single site outside of it throws HomeostatError `site_forbidden`.
 */
export interface DomainHub {
  /** UTC ms. */
  now(): number
  sites(reach: Reach): readonly Site[]
  /** Ordered by site and id. */
  devices(reach: Reach): Promise<readonly Device[]>
  /** The newest reading of every series, ordered by series. */
  latest(reach: Reach): readonly Reading[]
  /** Ordered by (at, site, device, metric); at most `limit`, strictly after `after`. */
  read(
    reach: Reach,
    filter: Omit<ReadingFilter, 'sites'>,
    limit: number,
    after?: ReadingPosition,
  ): Promise<readonly Reading[]>
  /** Hours of one series in [from, to), ms, oldest first. */
  rollups(reach: Reach, series: SeriesKey, from: number, to: number): Promise<readonly Rollup[]>
  /** One value per row of features, by the live model of the target. Throws `model_missing` where none is live. */
  predict(
    reach: Reach,
    target: Target,
    rows: readonly Readonly<Record<string, number>>[],
  ): Promise<{ readonly model: ModelRef; readonly unit: string; readonly predictions: readonly number[] }>
  /** Durable facts of this domain, e.g. its tariffs. A kind has 1 to 64 characters; `settings` is reserved. */
  records(kind: string): DomainRecords
  /** The settings of the domain that apply to the site, as its schema parsed them. */
  settings(reach: Reach, site: string): Promise<Readonly<Record<string, unknown>>>
}

/** The records of one kind. A key has 1 to 100 characters. */
export interface DomainRecords {
  /**
   * Replaces the record with the same key. Throws `record_too_large` above limits.recordBytes, and
   * `records_full` above limits.recordsPerDomain.
   */
  put(reach: Reach, site: string, key: string, body: unknown): Promise<DomainRecord>
  get(reach: Reach, site: string, key: string): Promise<DomainRecord | undefined>
  /** By site, then key; at most `limit`, strictly after `after`. */
  list(
    reach: Reach,
    limit: number,
    after?: Pick<DomainRecord, 'site' | 'key'>,
  ): Promise<readonly DomainRecord[]>
  /** Returns whether there was one. */
  remove(reach: Reach, site: string, key: string): Promise<boolean>
}

export const isWithin = (reach: Reach, site: string): boolean => reach === null || reach.includes(site)

/** Throws HomeostatError `site_forbidden`. */
export function requireWithin(reach: Reach, site: string): void {
  if (!isWithin(reach, site)) throw new HomeostatError('site_forbidden', { site })
}
