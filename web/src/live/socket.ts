import { type LiveMessage, liveMessage } from '../../../src/contract/live.ts'
import { apiKey } from '../api/key.ts'

export type Connection = 'connecting' | 'live' | 'lost'

export interface SocketEvents {
  onMessage(message: LiveMessage): void
  onConnection(state: Connection): void
}

const firstRetryMs = 500
const longestRetryMs = 15_000

/** Wait before the given attempt (0, 1, ...), ms: doubling, cut, and spread so that pages do not come back in step. */
export function retryMs(attempt: number, spread: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + spread / 2)
}

/** Keeps one socket to the hub's live feed open until closed; returns the closing function. */
export function connect(events: SocketEvents): () => void {
  let socket: WebSocket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let closed = false

  const open = () => {
    const key = apiKey.get()
    // a browser cannot set headers on a socket, so the key travels as a subprotocol, never in an address that is logged
    socket = key ? new WebSocket(liveUrl(), ['homeostat', `key.${key}`]) : new WebSocket(liveUrl())
    socket.onmessage = (event: MessageEvent<unknown>) => {
      const message = parse(event.data)
      if (!message) return
      // only now: a hub that opens a socket just to refuse it is not asked again in haste
      if (message.type === 'snapshot') {
        attempt = 0
        events.onConnection('live')
      }
      events.onMessage(message)
    }
    socket.onclose = () => {
      if (closed) return
      events.onConnection('lost')
      timer = setTimeout(open, retryMs(attempt++, Math.random()))
    }
  }
  open()

  return () => {
    closed = true
    clearTimeout(timer)
    socket?.close()
  }
}

function liveUrl(): URL {
  const url = new URL('./api/v1/live', document.baseURI)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url
}

/** A message of a kind that this page does not know is passed over: the hub may be newer. */
function parse(data: unknown): LiveMessage | undefined {
  if (typeof data !== 'string') return undefined
  try {
    return liveMessage.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
