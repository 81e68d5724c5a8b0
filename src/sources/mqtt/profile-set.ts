import { match } from './patterns.ts'
import { type ProfileName, profiles } from './profiles/index.ts'
import type { Profile, TopicForm } from './profiles/profile.ts'

export interface ProfileSettings {
  readonly enabled: readonly ProfileName[]
  /** Levels before the topics of profiles; one may be `{site}`. Empty: none, and everything is of the hub's own site. */
  readonly prefix: string
  readonly discoveryPrefix: string
  /** Devices and entities kept, of each profile and site. */
  readonly entities: number
  /** Largest message that describes devices. */
  readonly descriptionBytes: number
}

/** A topic that a profile reads. */
export interface ProfiledTopic {
  readonly form: TopicForm
  /** Undefined: the hub's own. */
  readonly site: string | undefined
}

const sitesMax = 1000

/** The profiles, with what they know of the devices of each site. */
export class ProfileSet {
  readonly #settings: ProfileSettings
  readonly #prefix: readonly string[]
  /** By the levels before the topics. */
  readonly #places = new Map<string, readonly Profile[]>()
  /** For topics to subscribe to before anything was heard. */
  readonly #general: readonly Profile[]

  constructor(settings: ProfileSettings) {
    this.#settings = settings
    this.#prefix = settings.prefix === '' ? [] : settings.prefix.split('/')
    this.#general = this.#create('')
    if (this.#prefix.length === 0) this.#places.set('', this.#general)
  }

  get descriptionBytes(): number {
    return this.#settings.descriptionBytes
  }

  filters(): string[] {
    const pattern = this.#prefix.map((level) => `${level.startsWith('{') ? '+' : level}/`).join('')
    const all = [[pattern, this.#general] as const, ...this.#places]
    return all.flatMap(([before, list]) =>
      list.flatMap((profile) => profile.filters().map((filter) => `${before}${filter}`)),
    )
  }

  find(topic: string): ProfiledTopic | undefined {
    const levels = topic.split('/')
    const count = this.#prefix.length
    const parts = match(this.#prefix, levels.slice(0, count))
    if (!parts || levels.length <= count) return undefined
    const before = levels
      .slice(0, count)
      .map((level) => `${level}/`)
      .join('')
    const rest = topic.slice(before.length)
    for (const profile of this.#placeOf(before)) {
      const form = profile.form(rest)
      if (form) return { form, site: parts.site }
    }
    return undefined
  }

  #placeOf(before: string): readonly Profile[] {
    const known = this.#places.get(before)
    if (known) return known
    // a client could make up sites without end: what it sends is listed as not understood
    if (this.#places.size >= sitesMax) return []
    const made = this.#create(before)
    this.#places.set(before, made)
    return made
  }

  #create(before: string): readonly Profile[] {
    const { enabled, entities, discoveryPrefix } = this.#settings
    return enabled.flatMap((name) => profiles[name]({ entities, discoveryPrefix, before }))
  }
}
