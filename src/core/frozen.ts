/** A file as it was at one moment. */
export interface FrozenFile {
  /** Name in the data folder. */
  readonly name: string
  readonly bytes: number
  /** All of its bytes, in pieces. Rejects where the file was changed by somebody else meanwhile. */
  read(): AsyncIterable<Uint8Array>
}

/** The files of a store, which the store does not change until they are released; it goes on taking writes. */
export interface FrozenFiles {
  readonly files: readonly FrozenFile[]
  release(): void
}

/** A store in files. */
export interface Freezable {
  /** The store as it is after all writes that were called before. One at a time. */
  freeze(): Promise<FrozenFiles>
}

/** Reads into a buffer, from a position of a file. */
type ReadAt = (
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead: number }>

const pieceBytes = 1 << 20

/** The first `bytes` of a file. */
export async function* readPieces(readAt: ReadAt, bytes: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < bytes; ) {
    const length = Math.min(pieceBytes, bytes - position)
    const piece = new Uint8Array(length)
    const { bytesRead } = await readAt(piece, 0, length, position)
    if (bytesRead === 0) throw new Error(`it ends at ${position} instead of ${bytes} bytes`)
    yield piece.subarray(0, bytesRead)
    position += bytesRead
  }
}

/** What a backup contains of the stores: both have exactly the turns up to `position`. */
export interface FrozenStores extends FrozenFiles {
  readonly position: number
}
