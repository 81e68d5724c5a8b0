import type { Journal, JournalFrame } from '../../core/journal.ts'

/** As long as a frame in a file, without its facts. */
const [frameHeaderBytes, readingBytes] = [56, 20]

/** A journal in memory: the plain version, and for hubs that need not outlive their process. */
export function createMemoryJournal(): Journal {
  let frames: JournalFrame[] = []
  let last = 0
  return {
    async open(after) {
      const first = frames[0]?.position ?? Math.max(last, after) + 1
      const span = { first, last: frames.at(-1)?.position ?? first - 1, cutBytes: 0 }
      last = Math.max(last, after)
      return span
    },
    async append(entry, at) {
      last++
      frames.push({ position: last, at, entry: structuredClone(entry) })
      const rows = entry.kind === 'turn' ? entry.readings.length : 0
      return { position: last, bytes: frameHeaderBytes + rows * readingBytes }
    },
    async *read(after): AsyncGenerator<JournalFrame> {
      const end = last
      for (const frame of [...frames]) if (frame.position > after && frame.position <= end) yield frame
    },
    get releasable() {
      return last
    },
    async release(position, keepFrom) {
      frames = frames.filter((frame) => frame.position > position || frame.at >= keepFrom)
    },
    async makeRoom() {},
    bytes: 0,
    async close() {},
  }
}
