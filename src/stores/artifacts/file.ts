import { dirname, join, resolve } from 'node:path'
import type { ArtifactStore } from '../../core/ports.ts'
import { Turns } from '../../core/turns.ts'
import { type Disk, machineDisk } from './disk.ts'
import { checkKey, checkPrefix } from './keys.ts'

/** Ends the name of a file that is being written: no key holds this character. */
const temporaryEnd = '#'

/**
 * Artifacts as files under a folder: a key is a path. `put` writes a temporary file beside the target, fsyncs it,
 * renames it and fsyncs the folder, so that after a crash or a power cut the key holds the old bytes or the new ones,
 * whole. Where the very last step fails, the fsync of the folder, `put` rejects and the key may hold either.
 * Writes are done one at a time; one process has the folder.
 */
export function createFileArtifacts(options: {
  readonly folder: string
  /** The disk; a test hands in one that fails. */
  readonly files?: Disk
}): ArtifactStore {
  const root = resolve(options.folder)
  const disk = options.files ?? machineDisk
  const folders = new DurableFolders(disk, root)
  const turns = new Turns(1)

  const pathOf = (key: string): string => {
    checkKey(key)
    return join(root, ...key.split('/'))
  }
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => turns.run(work)

  return {
    open: () =>
      inTurn(async () => {
        await folders.make(root)
        for (const file of await filesBelow(disk, root)) {
          if (file.endsWith(temporaryEnd)) await disk.unlink(join(root, file))
        }
      }),
    async put(key, bytes) {
      const path = pathOf(key)
      await inTurn(async () => {
        await folders.make(dirname(path))
        await replace(disk, path, bytes)
      })
    },
    async get(key) {
      try {
        return new Uint8Array(await disk.readFile(pathOf(key)))
      } catch (error) {
        if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined
        throw error
      }
    },
    async list(prefix) {
      checkPrefix(prefix)
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const names = await filesBelow(disk, join(root, folder))
      return names
        .filter((name) => !name.endsWith(temporaryEnd))
        .map((name) => folder + name)
        .filter((key) => key.startsWith(prefix))
        .sort()
    },
    async remove(keys) {
      const paths = keys.map(pathOf)
      await inTurn(() => erase(disk, folders, paths))
    },
    close: () => inTurn(async () => {}),
  }
}

async function replace(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + temporaryEnd
  try {
    const file = await disk.create(temporary)
    try {
      await file.write(bytes)
      await file.fsync()
    } finally {
      await file.close()
    }
    await disk.rename(temporary, path)
  } catch (error) {
    // what cannot be cleared now is cleared by the next `open`; the caller needs the first error
    await disk.unlink(temporary).catch(() => {})
    throw error
  }
  await disk.fsyncFolder(dirname(path))
}

/** Unlinks files in the order given, then the folders that this left empty. */
async function erase(disk: Disk, folders: DurableFolders, paths: readonly string[]): Promise<void> {
  const touched = new Set<string>()
  for (const path of paths) {
    try {
      await disk.unlink(path)
      touched.add(dirname(path))
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  }
  for (const folder of touched) await disk.fsyncFolder(folder)
  for (const folder of touched) await folders.prune(folder)
}

/** Folders whose names are known to be on disk: made in this process, or found and fsynced again. */
class DurableFolders {
  readonly #disk: Disk
  readonly #root: string
  readonly #known = new Set<string>()

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#root = root
  }

  /**
   * Makes the folder and those above it. One that exists may be left from a put that was cut short before the fsync
   * of its parent, so the parent is fsynced also then: once a process.
   */
  async make(folder: string): Promise<void> {
    if (this.#known.has(folder)) return
    if (folder === this.#root) {
      await this.#makeRoot(folder)
    } else {
      await this.make(dirname(folder))
      await this.#makeOne(folder)
      await this.#disk.fsyncFolder(dirname(folder))
    }
    this.#known.add(folder)
  }

  /** Above the root stand folders of other owners: they are made where they are missing, and else left alone. */
  async #makeRoot(folder: string): Promise<void> {
    const parent = dirname(folder)
    try {
      await this.#makeOne(folder)
    } catch (error) {
      if (!isCode(error, 'ENOENT') || parent === folder) throw error
      await this.#makeRoot(parent)
      await this.#makeOne(folder)
    }
    try {
      await this.#disk.fsyncFolder(parent)
    } catch (error) {
      // may be entered but not read: then somebody else made the root in it
      if (!isCode(error, 'EACCES', 'EPERM')) throw error
    }
  }

  async #makeOne(folder: string): Promise<void> {
    try {
      await this.#disk.mkdir(folder)
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
  }

  /** Removes the folder and those above it as long as they are empty. */
  async prune(folder: string): Promise<void> {
    for (let empty = folder; empty !== this.#root; empty = dirname(empty)) {
      this.#known.delete(empty)
      try {
        await this.#disk.rmdir(empty)
      } catch (error) {
        if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return
        if (!isCode(error, 'ENOENT')) throw error
      }
    }
  }
}

/** Paths of all files below a folder, relative to it, with forward slashes. */
async function filesBelow(disk: Disk, folder: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (path: string, prefix: string): Promise<void> => {
    for (const { name, isFolder } of await entriesOf(disk, path)) {
      if (isFolder) await walk(join(path, name), `${prefix}${name}/`)
      else found.push(prefix + name)
    }
  }
  await walk(folder, '')
  return found
}

async function entriesOf(disk: Disk, folder: string): ReturnType<Disk['readdir']> {
  try {
    return await disk.readdir(folder)
  } catch (error) {
    // not there, or removed while others were walked
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
