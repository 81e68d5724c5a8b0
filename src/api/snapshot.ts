import type { LiveMessage } from '../contract/live.ts'
import type { Frozen } from '../contract/route.ts'
import type { SeriesKey } from '../core/event.ts'
import type { Reading } from '../core/reading.ts'
import type { Engine } from '../engine/engine.ts'

/** Readings in one page of a snapshot: some 200 kB, a few milliseconds of work. */
export const snapshotReadings = 1000

/** What the snapshot of a client needs to know of it, and tells about itself. */
interface SnapshotClient {
  readonly sites: readonly string[] | null
  snapshotBytes: number
  shown?: readonly Reading[] | undefined
}

/**
 * Sends the newest reading of every series that the client may see, a page at a time: the next one is made once the
 * socket has taken the one before. So a client that does not read holds one page. A page is read when it is sent, hence it
 * is never older than a delta that was sent before it. `deliver` does not call back where the client is gone.
 */
export function sendSnapshot(
  engine: Pick<Engine, 'clock' | 'latest'>,
  client: SnapshotClient,
  deliver: (text: string, sent: (error?: Error) => void) => void,
): void {
  const { sites } = client
  const filter = sites === null ? {} : { sites }
  const send = (after?: SeriesKey): void => {
    const found = engine.latest(filter, snapshotReadings + 1, after)
    const readings = found.slice(0, snapshotReadings)
    const isLast = found.length === readings.length
    if (after === undefined && isLast) client.shown = readings
    const message: Frozen<LiveMessage> = {
      ...{ type: 'snapshot', at: engine.clock.now(), readings },
      ...(after === undefined ? {} : { continues: true }),
    }
    const text = JSON.stringify(message)
    client.snapshotBytes = Buffer.byteLength(text)
    deliver(text, (error) => {
      client.snapshotBytes = 0
      // a socket with room calls back at once: others take their turn in between
      if (!error && !isLast) setImmediate(send, readings.at(-1))
    })
  }
  send()
}
