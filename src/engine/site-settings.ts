import { HomeostatError } from '../core/errors.ts'
import type { Clock, Log } from '../core/ports.ts'
import type { DomainRecord, RecordKey, RecordLedger } from '../core/record.ts'
import { KeyedTurns } from '../core/turns.ts'
import type { Domain } from '../domains/domain.ts'

/** The kind under which the settings of a site are kept. */
export const settingsKind = 'settings'

export type Settings = Readonly<Record<string, unknown>>

/** A domain with its settings in the configuration file, for all sites. */
export interface ConfiguredDomain {
  readonly domain: Domain
  readonly settings: Settings
}

export interface RecordParts {
  readonly records: RecordLedger
  readonly clock: Pick<Clock, 'now'>
  readonly limits: { readonly recordsPerDomain: number; readonly recordBytes: number }
}

export interface SiteSettingsParts extends RecordParts {
  readonly log: Log
}

/** Records that are loaded at a time. */
const pageRows = 1000

/** Settings of domains by site: those of the site over those of the configuration file over the defaults of the schema. */
export class SiteSettings {
  readonly domains: readonly Domain[]
  readonly #byName: ReadonlyMap<string, ConfiguredDomain>
  readonly #parts: SiteSettingsParts
  /** Parsed settings of the sites that have their own, by site and domain. */
  readonly #own = new Map<string, Map<string, Settings>>()
  readonly #turns = new KeyedTurns()
  /** Called with each change, and awaited by `put`. Set by the path: its monitors go on with the new settings. */
  onChange: (domain: string, site: string) => Promise<void> = async () => undefined

  constructor(domains: readonly ConfiguredDomain[], parts: SiteSettingsParts) {
    this.domains = domains.map(({ domain }) => domain)
    this.#byName = new Map(domains.map((configured) => [configured.domain.name, configured]))
    this.#parts = parts
  }

  /** Reads the settings of all sites. The ledger must be open. */
  async load(): Promise<void> {
    for (const domain of this.#byName.keys()) {
      let after: DomainRecord | undefined
      do {
        const filter = { domain, kind: settingsKind, ...(after && { after }) }
        const records = await this.#parts.records.list(filter, pageRows)
        for (const record of records) this.#load(record)
        after = records.length < pageRows ? undefined : records.at(-1)
      } while (after)
    }
  }

  /** Settings that an older version kept and the schema refuses now do not keep the hub from starting. */
  #load({ domain, site, body }: DomainRecord): void {
    try {
      this.#keep(domain, site, parsed(this.#find(domain), body as Settings))
    } catch (error) {
      this.#parts.log.error('Settings of a site are not valid; those of the configuration apply.', {
        ...{ site, domain, error: String(error) },
      })
    }
  }

  /** Those that monitors use. Throws `not_found` for an unknown domain. */
  current(domain: string, site: string): Settings {
    return this.#own.get(site)?.get(domain) ?? this.#find(domain).settings
  }

  /**
   * `settings` apply, `own` are those of the site alone. Throws `not_found` for an unknown domain, `settings_invalid`
   * where the kept ones no longer match the schema.
   */
  async of(domain: string, site: string): Promise<{ readonly settings: Settings; readonly own: Settings }> {
    const configured = this.#find(domain)
    const record = await this.#parts.records.get(keyOf(domain, site))
    const own = (record?.body ?? {}) as Settings
    return { settings: parsed(configured, own), own }
  }

  /** Replaces all settings of the site, and hands them to its monitors. Throws `settings_invalid`, and keeps what there was. */
  put(
    domain: string,
    site: string,
    own: Settings,
  ): Promise<{ readonly settings: Settings; readonly own: Settings }> {
    return this.#turns.run(site, async () => {
      const settings = parsed(this.#find(domain), own)
      await putRecord(this.#parts, keyOf(domain, site), own)
      this.#keep(domain, site, settings)
      await this.onChange(domain, site)
      return { settings, own }
    })
  }

  removeSite(site: string): void {
    this.#own.delete(site)
  }

  #keep(domain: string, site: string, settings: Settings): void {
    const ofSite = this.#own.get(site) ?? new Map<string, Settings>()
    this.#own.set(site, ofSite.set(domain, settings))
  }

  #find(name: string): ConfiguredDomain {
    const configured = this.#byName.get(name)
    if (!configured) throw new HomeostatError('not_found', { what: `domain "${name}"` })
    return configured
  }
}

/** Stores one record within the limits. Throws `record_too_large` or `records_full`. */
export async function putRecord(
  { records, clock, limits }: RecordParts,
  key: RecordKey,
  body: unknown,
): Promise<number> {
  const at = clock.now()
  const bytes = new TextEncoder().encode(JSON.stringify(body)).length
  if (bytes > limits.recordBytes)
    throw new HomeostatError('record_too_large', { bytes, limit: limits.recordBytes })
  if (!(await records.put([{ ...key, at, body }], limits.recordsPerDomain)))
    throw new HomeostatError('records_full', { domain: key.domain, limit: limits.recordsPerDomain })
  return at
}

const keyOf = (domain: string, site: string): RecordKey => ({ site, domain, kind: settingsKind, key: '' })

function parsed({ domain, settings }: ConfiguredDomain, own: Settings): Settings {
  const result = domain.settings.safeParse({ ...settings, ...own })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const key = ['domains', domain.name, ...(issue?.path ?? [])].map(String).join('.')
  throw new HomeostatError('settings_invalid', { key, detail: issue?.message ?? '' })
}
