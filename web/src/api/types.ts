import type { Reply } from './client.ts'

export type Site = Reply<'sites'>['items'][number]
export type Device = Reply<'devices'>['items'][number]
export type RemovedDevice = Reply<'removedDevices'>['items'][number]
export type Series = Reply<'series'>['items'][number]
export type Reading = Reply<'latest'>['items'][number]
export type Rollup = Reply<'rollups'>['items'][number]
export type Forecast = Reply<'forecasts'>['items'][number]
export type Card = Reply<'models'>['items'][number]
export type Report = Reply<'reports'>['items'][number]
export type ModelEvent = Reply<'modelEvents'>['items'][number]
export type Job = Reply<'jobs'>['items'][number]
export type Forgotten = Reply<'forgotten'>['items'][number]
export type Info = Reply<'infos'>['items'][number]
export type Incident = Reply<'incidents'>['items'][number]
export type IncidentAlert = Reply<'incident'>['alerts'][number]
export type MaintenanceWindow = Reply<'maintenance'>['items'][number]
export type HeardTopic = Reply<'topics'>['items'][number]
export type TopicMapping = Reply<'proposeMapping'>['mapping']
export type MappingPreview = Reply<'previewMapping'>
export type AddedMapping = Reply<'topicMappings'>['items'][number]
export type Health = Reply<'health'>

export type Target = Forecast['target']

/** What a forecast, card or report is of. */
export interface ForecastKey {
  readonly target: Target
  readonly metric: string
}

/** Identity of a target as one text; ids hold no control characters. */
export const targetIdOf = ({ site, domain, subject }: Target): string =>
  `${site}\u001f${domain}\u001f${subject}`

export interface SeriesKey {
  readonly site: string
  readonly device: string
  readonly metric: string
}

/** Identity of a series as one text; ids hold no control characters. */
export const idOf = (key: SeriesKey): string => `${key.site}\u001f${key.device}\u001f${key.metric}`

/** Identity of a device as one text. */
export const deviceIdOf = (key: { readonly site: string; readonly device: string }): string =>
  `${key.site}\u001f${key.device}`
