import type { Socket } from 'node:net'

/**
 * Follows the fixed headers of an MQTT stream (MQTT 3.1.1, section 2.2): which bytes are a length, and how many
 * bytes belong to the packet. Nothing is kept but four numbers.
 */
export class PacketLengths {
  readonly #bytesMax: number
  /** Bytes of the packet that are still to come. */
  #left = 0
  #length = 0
  /** Bits of the length so far; -1 where the next byte begins a packet. */
  #bits = -1

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** False if the length of a packet exceeds the limit or is malformed. */
  take(chunk: Uint8Array): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
        continue
      }
      const byte = chunk[at++]!
      if (this.#bits < 0) {
        this.#bits = 0
        this.#length = 0
        continue
      }
      this.#length += (byte & 127) * 2 ** this.#bits
      this.#bits += 7
      if (this.#length > this.#bytesMax) return false
      if (byte < 128) {
        this.#left = this.#length
        this.#bits = -1
      } else if (this.#bits === 28) return false
    }
    return true
  }
}

/**
 * Ends a connection at the header of a packet of more than `bytesMax`. The parser would gather up to 256 MiB of it
 * first, also from somebody who has not shown a key. While `mayRead` returns false, nothing is read from the socket.
 */
export function boundPackets(socket: Socket, bytesMax: number, mayRead: () => boolean): void {
  const lengths = new PacketLengths(bytesMax)
  const read = socket.read.bind(socket)
  socket.read = (size?: number): Buffer | null => {
    if (!mayRead()) return null
    const chunk: Buffer | null = read(size)
    if (chunk === null || lengths.take(chunk)) return chunk
    socket.destroy(new Error(`A packet is longer than ${bytesMax} bytes.`))
    return null
  }
}
