import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { cacheKeys } from './queries.ts'
import type { SeriesKey, Target, TopicMapping } from './types.ts'

/**
 * What a person may change. It ends once what it changed has been asked anew; a failure is told at once, and what led
 * to it (somebody was faster) asked anew meanwhile.
 */
function useChange<Input, Result>(change: (input: Input) => Promise<Result>, concerns?: QueryKey) {
  const client = useQueryClient()
  const askAnew = () => client.invalidateQueries(concerns ? { queryKey: concerns } : {})
  return useMutation({
    mutationFn: change,
    onSuccess: askAnew,
    onError: () => {
      void askAnew()
    },
  })
}

/** Erases a site. */
export const useRemoveSite = () => useChange((site: string) => call('removeSite', { params: { site } }))

export type DeviceEdit = NonNullable<NonNullable<Parameters<typeof call<'editDevice'>>[1]>['body']>

interface DeviceKey {
  readonly site: string
  readonly id: string
}

export const useEditDevice = ({ site, id }: DeviceKey) =>
  useChange(
    (body: DeviceEdit) => call('editDevice', { params: { id }, query: { site }, body }),
    cacheKeys.things,
  )

/** Deletes a device, or one series of it. */
export const useRemoveDevice = ({ site, id }: DeviceKey) =>
  useChange((metric: string | undefined) => call('removeDevice', { params: { id }, query: { site, metric } }))

export const useMergeDevice = ({ site, id }: DeviceKey) =>
  useChange((into: string) => call('mergeDevice', { params: { id }, query: { site }, body: { into } }))

/** Undoes a deletion or merge. */
export const useRestoreDevice = () => useChange((id: string) => call('restoreDevice', { params: { id } }))

/** Makes a kept version live; by force if the gate rejected it. */
export const usePromote = (target: Target) =>
  useChange(
    (version: { readonly version: string; readonly force: boolean }) =>
      call('promote', { body: { ...target, ...version } }),
    cacheKeys.learning,
  )

/** Goes back to a version that was live, or to the naive forecast ("naive"). */
export const useRollBack = (target: Target) =>
  useChange((version: string) => call('rollback', { body: { ...target, version } }), cacheKeys.learning)

/** Trains a target. */
export const useTrain = ({ site, domain, subject }: Target) =>
  useChange(() => call('train', { query: { site }, body: { domain, subject } }), cacheKeys.learning)

export const useCancelTraining = () =>
  useChange((id: string) => call('cancelJob', { params: { id } }), cacheKeys.learning)

/** Leaves [from, to), ms, out of learning. */
export const useForget = (series: SeriesKey) =>
  useChange(
    (span: { readonly from: number; readonly to: number; readonly reason: string }) =>
      call('forget', { body: { ...series, ...span } }),
    cacheKeys.learning,
  )

/** Takes care of an incident. */
export const useAcknowledge = (id: string) =>
  useChange(() => call('acknowledgeIncident', { params: { id } }), cacheKeys.incidents)

/** Keeps an incident silent until then, UTC ms. */
export const useSnooze = (id: string) =>
  useChange(
    (until: number) => call('snoozeIncident', { params: { id }, body: { until } }),
    cacheKeys.incidents,
  )

/** Resolves an incident though its condition may hold. */
export const useResolve = (id: string) =>
  useChange(() => call('resolveIncident', { params: { id } }), cacheKeys.incidents)

type NewMaintenance = NonNullable<Parameters<typeof call<'addMaintenance'>>[1]>['body']

export const useAddMaintenance = () =>
  useChange((body: NonNullable<NewMaintenance>) => call('addMaintenance', { body }), cacheKeys.incidents)

export const useRemoveMaintenance = () =>
  useChange((id: string) => call('removeMaintenance', { params: { id } }), cacheKeys.incidents)

/** Adds a mapping of topics; it is used at once. */
export const useAddMapping = () =>
  useChange((body: TopicMapping) => call('addMapping', { body }), cacheKeys.topics)

export const useRemoveMapping = () =>
  useChange((id: string) => call('removeMapping', { params: { id } }), cacheKeys.topics)

/** Reads rows in quarantine again; undefined: all of them. */
export const useRetryQuarantine = () =>
  useChange((ids: number[] | undefined) => call('retryQuarantine', { body: { ids } }), cacheKeys.quarantine)

/** Removes rows from the quarantine; undefined: all of them. */
export const useClearQuarantine = () =>
  useChange((ids: number[] | undefined) => call('clearQuarantine', { body: { ids } }), cacheKeys.quarantine)

/** Takes a forgotten span back. */
export const useRemember = () =>
  useChange((id: string) => call('remember', { params: { id } }), cacheKeys.learning)
