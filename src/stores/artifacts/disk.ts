import { mkdir, open, readdir, readFile, rename, rmdir, unlink } from 'node:fs/promises'
import { fsyncFolder } from '../fsync-folder.ts'

/** The few operations of the disk that artifacts need: handed in, so that a test can fail each one. Paths are absolute. */
export interface Disk {
  /** A new empty file, or an old one emptied. */
  create(path: string): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** One level; rejects with EEXIST where something has the name. */
  mkdir(path: string): Promise<void>
  /** Rejects with ENOTEMPTY where something is inside. */
  rmdir(path: string): Promise<void>
  /** Makes the names in the folder durable. */
  fsyncFolder(path: string): Promise<void>
  readdir(path: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>
  readFile(path: string): Promise<Uint8Array>
}

export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>
  /** Makes the content durable. */
  fsync(): Promise<void>
  close(): Promise<void>
}

/** This machine's disk. Files and folders are for this user only: a model tells when people are at home. */
export const machineDisk: Disk = {
  async create(path) {
    const handle = await open(path, 'w', 0o600)
    return {
      write: (bytes) => handle.writeFile(bytes),
      fsync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  rename,
  unlink,
  rmdir,
  async mkdir(path) {
    await mkdir(path, 0o700)
  },
  fsyncFolder,
  async readdir(path) {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
  },
  readFile: (path) => readFile(path),
}
