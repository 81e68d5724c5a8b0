import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useLatch } from '../latch.ts'
import { call, callAll } from './client.ts'
import {
  type ForecastKey,
  type Job,
  type SeriesKey,
  type Target,
  type TopicMapping,
  targetIdOf,
} from './types.ts'

/** Cache keys; a message on the live feed makes them stale. */
export const cacheKeys = {
  things: ['things'],
  learning: ['learning'],
  incidents: ['incidents'],
  history: ['history'],
  topics: ['topics'],
  quarantine: ['quarantine'],
} as const

const list = { limit: 10_000 } as const

export const useSites = () =>
  useQuery({
    queryKey: [...cacheKeys.things, 'sites'],
    queryFn: async ({ signal }) => (await callAll('sites', { signal })).items,
  })

export const useDevices = () =>
  useQuery({
    queryKey: [...cacheKeys.things, 'devices'],
    queryFn: async ({ signal }) => (await callAll('devices', { query: list, signal })).items,
  })

/** What was deleted or merged on a site and can be restored. */
export const useRemovedDevices = (site: string) =>
  useQuery({
    queryKey: [...cacheKeys.things, 'removed', site],
    queryFn: async ({ signal }) => (await callAll('removedDevices', { query: { site }, signal }, 1)).items,
  })

/** The newest reading of every series; polled only while the live feed is down. */
export const useLatest = (live: boolean) =>
  useQuery({
    queryKey: [...cacheKeys.things, 'latest'],
    queryFn: async ({ signal }) => (await callAll('latest', { query: list, signal })).items,
    refetchInterval: live ? false : 5000,
  })

export const useHealth = () =>
  useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => call('health', { signal }),
    refetchInterval: 10_000,
  })

export const useForecasts = (site: string, device?: string) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'forecasts', site, device ?? null],
    queryFn: async ({ signal }) =>
      (await callAll('forecasts', { query: { site, device, limit: 1000 }, signal })).items,
    refetchInterval: 60_000,
  })

export const useCards = (site: string, device?: string) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'models', site, device ?? null],
    queryFn: async ({ signal }) =>
      (await callAll('models', { query: { site, device, limit: 1000 }, signal })).items,
    refetchInterval: 60_000,
  })

/** Scores of the forecasts of each version of one target over the last four weeks. */
export const useReports = ({ target, metric }: ForecastKey) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'report', targetIdOf(target), metric],
    queryFn: async ({ signal }) =>
      (await callAll('reports', { query: { ...target, metric }, signal }, 1)).items,
    refetchInterval: 60_000,
  })

/** Changes of status of one target's models, newest first. */
export const useModelEvents = (target: Target) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'history', targetIdOf(target)],
    queryFn: async ({ signal }) =>
      (await callAll('modelEvents', { query: { ...target, limit: 1000 }, signal }, 1)).items,
    refetchInterval: 60_000,
  })

/** Whether all queries of the page of a site are answered, so that it is drawn once and does not jump. */
export function useAnswered(site: string): boolean {
  const asked = [useDevices(), useOpenIncidents(site), useForecasts(site), useCards(site), useInfos(site)]
  return useLatch(asked.every(({ isPending }) => !isPending))
}

/** Trainings that are searched for the last one of a target. */
const jobsLookedThrough = 500

/** The training of one target that is queued or running, otherwise the one that ended last. */
export const useTraining = (target: Target) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'training', targetIdOf(target)],
    queryFn: async ({ signal }): Promise<Job | null> => {
      const { site } = target
      const own = (jobs: readonly Job[]) => jobs.find((job) => targetIdOf(job.target) === targetIdOf(target))
      // a job that begins to run between two questions is found by the second
      for (const status of ['queued', 'running', undefined] as const) {
        const query = { site, kind: 'train' as const, status, limit: status ? 10_000 : jobsLookedThrough }
        const found = own((await call('jobs', { query, signal })).items)
        if (found) return found
      }
      return null
    },
    refetchInterval: ({ state: { data } }) => (data && isActive(data) ? 1000 : 15_000),
  })

/** The last rebuild of the derived series of one target. */
export const useRebuild = (target: Target) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'rebuild', targetIdOf(target)],
    queryFn: async ({ signal }): Promise<Job | null> => {
      const query = { site: target.site, kind: 'rebuild' as const, limit: 10_000 }
      const { items } = await call('jobs', { query, signal })
      return items.find((job) => targetIdOf(job.target) === targetIdOf(target)) ?? null
    },
    refetchInterval: ({ state: { data } }) => (data && isActive(data) ? 1000 : 15_000),
  })

export const isActive = ({ status }: Job): boolean => status === 'queued' || status === 'running'

/** Spans of a site that no model learns from. */
export const useForgotten = (site: string) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'forgotten', site],
    queryFn: async ({ signal }) => (await callAll('forgotten', { query: { site }, signal }, 1)).items,
  })

/** What the hub did by itself in the last seven days, newest first; of all sites that may be seen without one. */
export const useInfos = (site?: string) =>
  useQuery({
    queryKey: [...cacheKeys.learning, 'infos', site ?? null],
    queryFn: async ({ signal }) => (await callAll('infos', { query: { site }, signal }, 1)).items,
    refetchInterval: 60_000,
  })

/** Unresolved incidents, the newest ones; of all sites that the key reaches where none is named. */
export const useOpenIncidents = (site?: string) =>
  useQuery({
    queryKey: [...cacheKeys.incidents, 'open', site ?? null],
    queryFn: async ({ signal }) =>
      (await call('incidents', { query: { site, status: 'unresolved', limit: 200 }, signal })).items,
    refetchInterval: 30_000,
  })

/** Newest first, page by page. */
export const useIncidents = (shown: 'unresolved' | 'all') =>
  useInfiniteQuery({
    queryKey: [...cacheKeys.incidents, 'list', shown],
    queryFn: ({ signal, pageParam }) => {
      const status = shown === 'all' ? undefined : shown
      return call('incidents', { query: { status, limit: 100, cursor: pageParam }, signal })
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: 30_000,
  })

/** One incident with its alerts. */
export const useIncident = (id: string) =>
  useQuery({
    queryKey: [...cacheKeys.incidents, 'one', id],
    queryFn: ({ signal }) => call('incident', { params: { id }, signal }),
  })

/** Maintenance windows, also those that have ended and are still kept. */
export const useMaintenance = () =>
  useQuery({
    queryKey: [...cacheKeys.incidents, 'maintenance'],
    queryFn: async ({ signal }) => (await callAll('maintenance', { query: { limit: 1000 }, signal })).items,
    refetchInterval: 30_000,
  })

export const useQuarantine = () =>
  useQuery({
    queryKey: cacheKeys.quarantine,
    queryFn: ({ signal }) => call('quarantine', { query: { limit: 200 }, signal }),
    refetchInterval: 10_000,
  })

/** MQTT topics that are heard and not understood. */
export const useTopics = () =>
  useQuery({
    queryKey: [...cacheKeys.topics, 'heard'],
    queryFn: ({ signal }) => call('topics', { query: { limit: 1000 }, signal }),
    refetchInterval: 10_000,
  })

/** Mappings that were added while the hub runs. */
export const useMappings = () =>
  useQuery({
    queryKey: [...cacheKeys.topics, 'mappings'],
    queryFn: ({ signal }) => call('topicMappings', { query: { limit: 1000 }, signal }),
  })

/** A first mapping for a topic; asked once, so that it does not change under the one who edits it. */
export const useProposal = (topic: string, payload: string) =>
  useQuery({
    queryKey: [...cacheKeys.topics, 'proposal', topic],
    queryFn: ({ signal }) => call('proposeMapping', { body: { topic, payload }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

interface Message {
  readonly topic: string
  readonly payload: string
}

/** What a mapping would make of a message; the answer before stays until the next is there. */
export const useMappingPreview = ({ topic, payload }: Message, mapping: TopicMapping, enabled: boolean) =>
  useQuery({
    queryKey: [...cacheKeys.topics, 'preview', topic, payload, mapping],
    queryFn: ({ signal }) => call('previewMapping', { body: { topic, payload, mapping }, signal }),
    placeholderData: keepPreviousData,
    enabled,
  })

/** Raw readings of one series in [from, to), ms, oldest first. `complete` is false where they are too many. */
export const useReadings = (key: SeriesKey, from: number, to: number, enabled: boolean) =>
  useQuery({
    queryKey: [...cacheKeys.history, 'readings', key, from, to],
    queryFn: ({ signal }) => callAll('readings', { query: { ...key, from, to, ...list }, signal }, 12),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  })

/** One series by the hour in [from, to), ms. */
export const useRollups = (key: SeriesKey, from: number, to: number, enabled = true) =>
  useQuery({
    queryKey: [...cacheKeys.history, 'rollups', key, from, to],
    queryFn: ({ signal }) => callAll('rollups', { query: { ...key, from, to, ...list }, signal }),
    enabled,
    staleTime: 5 * 60_000,
  })
