import { statfs } from 'node:fs/promises'

/** Bytes on the disk of a folder that this user may still take. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** A store does not begin a write that the disk has no room for. */
export class DiskFull extends Error {
  readonly code = 'ENOSPC'

  /** `free`: bytes; `needs`: who needs how many bytes, and what for. */
  constructor(folder: string, free: number, needs: string) {
    super(`the disk is full: ${folder} has ${free} bytes left, and ${needs}`)
  }
}
