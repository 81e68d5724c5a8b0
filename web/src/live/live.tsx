import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react'
import type { LiveMessage } from '../../../src/contract/live.ts'
import { cacheKeys, useLatest } from '../api/queries.ts'
import { idOf, type Reading, type SeriesKey } from '../api/types.ts'
import type { Live } from './merge.ts'
import { type Connection, connect } from './socket.ts'
import { LiveStore } from './store.ts'

interface LiveContext {
  readonly store: LiveStore
  readonly connection: Connection
  /** Grows with every reconnection. */
  readonly epoch: number
  /** Whether what is there has been heard: before that, no reading does not mean that there is none. */
  readonly heard: boolean
}

const Context = createContext<LiveContext | undefined>(undefined)

/** Holds the live feed for everything below it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [store] = useState(() => new LiveStore())
  const [connection, setConnection] = useState<Connection>('connecting')
  const [snapshots, setSnapshots] = useState(0)
  const latest = useLatest(connection === 'live')

  useEffect(() => {
    const stale = (queryKey: readonly string[]) => void client.invalidateQueries({ queryKey })
    const take = (readings: readonly Reading[]) => {
      if (store.take(readings)) stale(cacheKeys.things)
    }
    const onMessage = (message: LiveMessage) => {
      if (message.type === 'snapshot') {
        store.setHubTime(message.at)
        setSnapshots((count) => count + 1)
        // what was asked in vain while the hub was away
        void client.refetchQueries({ predicate: ({ state }) => state.status === 'error' })
      }
      if (message.type === 'snapshot' || message.type === 'delta') take(message.readings)
      if (message.type === 'forecasts') stale(cacheKeys.learning)
      if (message.type === 'incidents') stale(cacheKeys.incidents)
      if (message.type === 'devices') {
        store.removeSeries(message.removed)
        void client.invalidateQueries()
      }
      if (message.type === 'site_removed') {
        store.removeSite(message.site)
        void client.invalidateQueries()
      }
    }
    return connect({ onMessage, onConnection: setConnection })
  }, [client, store])

  useEffect(() => {
    if (latest.data) store.take(latest.data)
  }, [latest.data, store])

  const epoch = Math.max(0, snapshots - 1)
  const heard = snapshots > 0 || !latest.isPending
  return <Context value={{ store, connection, epoch, heard }}>{children}</Context>
}

function useLive(): LiveContext {
  const context = useContext(Context)
  if (!context) throw new Error('LiveProvider is missing above this component')
  return context
}

export const useConnection = (): Connection => useLive().connection

export const useEpoch = (): number => useLive().epoch

export const useHeard = (): boolean => useLive().heard

export const useLiveStore = (): LiveStore => useLive().store

/** The newest reading of one series; draws again only when that series spoke. */
export function useReading(key: SeriesKey): Live | undefined {
  const { store } = useLive()
  const id = idOf(key)
  return useSyncExternalStore(
    useCallback((listener) => store.subscribe(id, listener), [store, id]),
    () => store.get(id),
  )
}

/** All newest readings; draws again with every change (at most five times a second). */
export function useAllReadings(): Live[] {
  const { store } = useLive()
  useSyncExternalStore(
    useCallback((listener) => store.subscribeAny(listener), [store]),
    () => store.version,
  )
  return [...store.all()]
}

/**
 * Something computed from the hub's clock, drawn again only when its result changes. The result must be a
 * text, number or boolean.
 */
export function useClock<Value extends string | number | boolean>(
  compute: (now: number) => Value,
  everyMs = 1000,
): Value {
  const { store } = useLive()
  return useSyncExternalStore(
    useCallback(
      (listener) => {
        const timer = setInterval(listener, everyMs)
        return () => clearInterval(timer)
      },
      [everyMs],
    ),
    () => compute(store.now()),
  )
}
