import { HomeostatError } from '../core/errors.ts'
import type { ForecastKey } from '../core/event.ts'
import type { Target } from '../core/target.ts'
import type { Place } from './cursor.ts'

/** How a request names a target, or narrows a list to some; see `contract/model-schemas.ts`. */
export interface TargetWords {
  readonly site?: string | undefined
  readonly domain?: string | undefined
  readonly subject?: string | undefined
  /** The older form: a device and the metric that is predicted, whose domain has the same name (energy). */
  readonly device?: string | undefined
  readonly metric?: string | undefined
}

/** The one target and metric that a request names. Throws `request_invalid` if it names neither subject nor device. */
export function forecastKeyOf({
  site,
  domain,
  subject,
  device,
  metric,
}: TargetWords & { site: string }): ForecastKey {
  const of = subject ?? device
  if (of === undefined)
    throw new HomeostatError('request_invalid', { detail: 'a target needs "subject" (or "device")' })
  const named = domain ?? metric ?? 'energy'
  return { target: { site, domain: named, subject: of }, metric: metric ?? named }
}

/** Whether a request that narrows a list, narrows it to this. */
export const isNamed = ({ target, metric }: ForecastKey, words: TargetWords): boolean =>
  isTargetNamed(target, words) && (words.metric === undefined || words.metric === metric)

/** The same of what belongs to a target as a whole: there the metric of the older form is the domain. */
export const isTargetNamed = ({ domain, subject }: Target, words: TargetWords): boolean =>
  (words.domain === undefined || words.domain === domain) &&
  (words.subject === undefined || words.subject === subject) &&
  (words.device === undefined || words.device === subject)

/** Those of the sites; null: all. */
export const ofSites = <Item extends { readonly target: Target }>(
  items: readonly Item[],
  sites: readonly string[] | null,
): readonly Item[] => (sites === null ? items : items.filter(({ target }) => sites.includes(target.site)))

/** Place of a target and metric in a list. */
export const forecastKeyTypes = ['string', 'string', 'string', 'string'] as const
export const forecastKeyPlace = ({ target: { site, domain, subject }, metric }: ForecastKey): Place => [
  site,
  domain,
  subject,
  metric,
]
