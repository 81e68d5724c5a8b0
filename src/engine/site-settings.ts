import { HomeostatError } from '../core/errors.ts'
import type { Clock, RecordLedger } from '../core/ports.ts'
import type { RecordKey } from '../core/record.ts'

/** The kind under which the settings of a site are kept. */
export const settingsKind = 'settings'

export type Settings = Readonly<Record<string, unknown>>

/** The part of a zod schema that is used here. */
export interface SettingsSchema {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: Settings }
    | {
        readonly success: false
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }
      }
}

/** A domain with settings: their schema, and what the configuration file sets for all sites. */
export interface ConfiguredDomain {
  readonly name: string
  readonly schema: SettingsSchema
  readonly file: Settings
}

export interface SiteSettingsParts {
  readonly records: RecordLedger
  readonly clock: Pick<Clock, 'now'>
  readonly limits: { readonly recordsPerDomain: number; readonly recordBytes: number }
}

/** Settings of domains by site: those of the site over those of the configuration file over the defaults of the schema. */
export class SiteSettings {
  readonly #domains: ReadonlyMap<string, ConfiguredDomain>
  readonly #parts: SiteSettingsParts

  constructor(domains: readonly ConfiguredDomain[], parts: SiteSettingsParts) {
    this.#domains = new Map(domains.map((domain) => [domain.name, domain]))
    this.#parts = parts
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

  /** Replaces all settings of the site. Throws `settings_invalid`, and keeps what there was. */
  async put(
    domain: string,
    site: string,
    own: Settings,
  ): Promise<{ readonly settings: Settings; readonly own: Settings }> {
    const settings = parsed(this.#find(domain), own)
    await putRecord(this.#parts, keyOf(domain, site), own)
    return { settings, own }
  }

  #find(name: string): ConfiguredDomain {
    const domain = this.#domains.get(name)
    if (!domain) throw new HomeostatError('not_found', { what: `domain "${name}" with settings` })
    return domain
  }
}

/** Stores one record within the limits. Throws `record_too_large` or `records_full`. */
export async function putRecord(
  { records, clock, limits }: SiteSettingsParts,
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

function parsed({ name, schema, file }: ConfiguredDomain, own: Settings): Settings {
  const result = schema.safeParse({ ...file, ...own })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const key = ['domains', name, ...(issue?.path ?? [])].map(String).join('.')
  throw new HomeostatError('settings_invalid', { key, detail: issue?.message ?? '' })
}
