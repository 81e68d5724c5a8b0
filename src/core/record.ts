/** The kind of facts that a record belongs to, of one domain on one site: `home`, `dispatch`, `tariffs`. */
export interface RecordKind {
  readonly site: string
  readonly domain: string
  readonly kind: string
}

/** Identity of a record. */
export interface RecordKey extends RecordKind {
  readonly key: string
}

/** A durable fact of a domain, e.g. a tariff, a preference or a to-do. */
export interface DomainRecord extends RecordKey {
  /** When it was written, UTC ms. */
  readonly at: number
  /** JSON. */
  readonly body: unknown
}

/** Which records: all of a kind, on these sites. */
export interface RecordFilter {
  readonly domain: string
  readonly kind: string
  /** Absent: all sites. */
  readonly sites?: readonly string[]
  /** The last record of the page before. */
  readonly after?: Pick<RecordKey, 'site' | 'key'>
}

/** Durable facts of the domains. */
export interface RecordLedger {
  /**
   * Same (site, domain, kind, key) replaces. One transaction. Returns false, and stores nothing, where a domain would
   * then have more than `rowsMax` records on a site.
   */
  put(records: readonly DomainRecord[], rowsMax: number): Promise<boolean>
  get(key: RecordKey): Promise<DomainRecord | undefined>
  /** By site, then key; at most `limit`, strictly after `filter.after`. */
  list(filter: RecordFilter, limit: number): Promise<DomainRecord[]>
  /** Returns whether there was one. */
  remove(key: RecordKey): Promise<boolean>
}
