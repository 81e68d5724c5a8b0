import type { Problem } from '../../../core/errors.ts'

/** A reading as a profile takes it from a payload; the reader of topics adds site, source and payload. */
export interface ProfileRow {
  readonly device: string
  readonly metric: string
  readonly value: unknown
  readonly unit?: string | undefined
  readonly at?: unknown
  readonly room?: string | undefined
  readonly fault?: Problem
}

/** What a profile makes of one payload. */
export interface ProfileRead {
  readonly rows: readonly ProfileRow[]
  /** Fields that may matter to somebody and become no reading. */
  readonly unread?: readonly string[]
}

/**
 * How a topic of a profile is read. `ignored`: commands, logs and the like, no readings by their nature.
 * `description`: what the devices are; only clients that reach all sites may send it. The payload may be empty.
 * A read that returns undefined found that the message is none of the profile after all.
 */
export type TopicForm =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'text'; read(text: string): ProfileRead | undefined }
  | { readonly kind: 'json'; read(message: unknown): ProfileRead | undefined }
  | { readonly kind: 'description'; read(text: string): void }

/** The topics of one system, on one site. Topics are those behind the prefix of profiles. */
export interface Profile {
  readonly name: string
  /** MQTT filters; more of them once devices are described. */
  filters(): readonly string[]
  /** Undefined for the topics of others. */
  form(topic: string): TopicForm | undefined
}

export interface ProfileOptions {
  /** Devices or entities that are kept of what is described. */
  readonly entities: number
  /** First level of Home Assistant's discovery. */
  readonly discoveryPrefix: string
  /** What is in front of the topics of this site, with a slash at its end; empty: nothing. */
  readonly before: string
}

export const ignored: TopicForm = { kind: 'ignored' }

/** 1 or 0, undefined for anything else. */
export function onOff(text: string): number | undefined {
  const word = text.trim().toLowerCase()
  if (['online', 'on', 'true', '1', 'open'].includes(word)) return 1
  return ['offline', 'off', 'false', '0', 'close', 'closed'].includes(word) ? 0 : undefined
}

/** Whether a device can be reached, as a reading of it. */
export function availability(device: string, text: string): ProfileRead | undefined {
  const value = /^(online|offline|true|false)$/i.test(text.trim()) ? onOff(text) : undefined
  return value === undefined ? undefined : { rows: [{ device, metric: 'available', value, unit: 'state' }] }
}
