import type { Disk } from '../../src/stores/artifacts/disk.ts'

/** A file: what was written to it, and how much of that a power cut leaves. */
interface File {
  bytes: Uint8Array
  durable: Uint8Array
}

/** Names in a folder as processes see them, and as a power cut leaves them. */
interface Folder {
  names: Map<string, File | Folder>
  durable: Map<string, File | Folder>
}

const isFolder = (node: File | Folder | undefined): node is Folder => node !== undefined && 'names' in node

/**
 * A disk of the worst kind that POSIX allows: the content of a file survives a power cut only from its last fsync, a
 * name (of a new file, a rename, a removal, a new folder) only from the last fsync of the folder that it is in.
 * Before the operation `failAt` (counted from 1) it throws, that one and all that follow: the process has ended.
 */
export class FragileDisk implements Disk {
  readonly #root: Folder = newFolder()
  readonly done: string[] = []
  failAt = Number.POSITIVE_INFINITY
  /** Whether the operation that fails was still done: the process died just after it. */
  doneAnyway = false
  /** Fails once and goes on, as a disk that is full for a moment. */
  once = false

  /** The power comes back: all that was not fsynced is gone. */
  powerCut(): void {
    forget(this.#root)
    this.revive()
  }

  /** The process starts again, the machine went on. */
  revive(): void {
    this.failAt = Number.POSITIVE_INFINITY
    this.done.length = 0
  }

  create = (path: string) =>
    this.#step(`create ${path}`, () => {
      const { folder, name } = this.#place(path)
      const node = folder.names.get(name)
      if (isFolder(node)) throw failure('EISDIR', path)
      const file = node ?? { bytes: new Uint8Array(0), durable: new Uint8Array(0) }
      file.bytes = new Uint8Array(0)
      folder.names.set(name, file)
      return {
        write: (bytes: Uint8Array) =>
          this.#step(`write ${path}`, () => {
            file.bytes = bytes.slice()
          }),
        fsync: () =>
          this.#step(`fsync ${path}`, () => {
            file.durable = file.bytes
          }),
        close: () => this.#step(`close ${path}`, () => {}),
      }
    })

  rename = (from: string, to: string) =>
    this.#step(`rename ${from} ${to}`, () => {
      const [source, target] = [this.#place(from), this.#place(to)]
      const node = source.folder.names.get(source.name)
      if (!node) throw failure('ENOENT', from)
      source.folder.names.delete(source.name)
      target.folder.names.set(target.name, node)
    })

  unlink = (path: string) =>
    this.#step(`unlink ${path}`, () => {
      const { folder, name } = this.#place(path)
      if (!folder.names.delete(name)) throw failure('ENOENT', path)
    })

  mkdir = (path: string) =>
    this.#step(`mkdir ${path}`, () => {
      const { folder, name } = this.#place(path)
      if (folder.names.has(name)) throw failure('EEXIST', path)
      folder.names.set(name, newFolder())
    })

  rmdir = (path: string) =>
    this.#step(`rmdir ${path}`, () => {
      const { folder, name } = this.#place(path)
      const node = folder.names.get(name)
      if (!isFolder(node)) throw failure('ENOENT', path)
      if (node.names.size > 0) throw failure('ENOTEMPTY', path)
      folder.names.delete(name)
    })

  fsyncFolder = (path: string) =>
    this.#step(`fsyncFolder ${path}`, () => {
      const folder = this.#folder(path)
      folder.durable = new Map(folder.names)
    })

  readdir = async (path: string) =>
    [...this.#folder(path).names].map(([name, node]) => ({ name, isFolder: isFolder(node) }))

  readFile = async (path: string) => {
    const { folder, name } = this.#place(path)
    const node = folder.names.get(name)
    if (!node || isFolder(node)) throw failure('ENOENT', path)
    return node.bytes.slice()
  }

  async #step<Result>(what: string, work: () => Result): Promise<Result> {
    this.done.push(what)
    const number = this.done.length
    const fails = this.once ? number === this.failAt : number >= this.failAt
    if (!fails) return work()
    if (number === this.failAt && this.doneAnyway) work()
    throw failure('EIO', what)
  }

  #folder(path: string): Folder {
    let folder = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = folder.names.get(name)
      if (!isFolder(next)) throw failure('ENOENT', path)
      folder = next
    }
    return folder
  }

  #place(path: string): { readonly folder: Folder; readonly name: string } {
    const slash = path.lastIndexOf('/')
    return { folder: this.#folder(path.slice(0, slash)), name: path.slice(slash + 1) }
  }
}

const newFolder = (): Folder => ({ names: new Map(), durable: new Map() })

function forget(node: File | Folder): void {
  if (isFolder(node)) {
    node.names = new Map(node.durable)
    for (const inner of node.names.values()) forget(inner)
  } else node.bytes = node.durable
}

const failure = (code: string, what: string): Error => Object.assign(new Error(`${code}: ${what}`), { code })
