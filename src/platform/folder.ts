import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HomeostatError } from '../core/errors.ts'

/** Where a hub that holds the folder can be asked. */
export interface HubAddress {
  readonly url: string
  /** API key of this run, for commands of the same user. */
  readonly secret: string
}

export interface FolderClaim {
  /** Writes the address for `findHub`, readable for this user only and outside of the data folder. */
  announce(address: HubAddress): Promise<void>
  release(): Promise<void>
}

const fileName = 'hub.json'

/** In a folder into which `restore` is still moving a backup; see platform/restore.ts. */
export const unfinishedRestore = 'restoring'

/**
 * Takes a data folder for this process; creates it where it is missing. Throws `data_locked` where another living
 * process holds it. The stores hold locks of their own; this one says so early and in a sentence.
 *
 * The claim names the folder by device and inode, so that one in a copy of the folder claims nothing. The address of
 * the hub, with its secret, is in a file outside of the folder, which no backup or copy contains.
 */
export async function claimFolder(folder: string): Promise<FolderClaim> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, fileName)
  const holder = await readHolder(folder)
  if (holder && holder.pid !== process.pid && (await isAlive(holder))) {
    throw new HomeostatError('data_locked', { folder, pid: holder.pid })
  }
  if (existsSync(join(folder, unfinishedRestore))) throw new HomeostatError('restore_unfinished', { folder })
  if (holder) await removeAddress(holder)
  const self: Holder = {
    pid: process.pid,
    born: await bornOf(process.pid),
    folder: await identityOf(folder),
  }
  await writeWhole(file, JSON.stringify(self))
  let address: string | undefined
  return {
    async announce(hub) {
      address = await writeAddress(self, hub)
      await writeWhole(file, JSON.stringify({ ...self, address }))
    },
    async release() {
      if (address !== undefined) await rm(address, { force: true })
      await rm(file, { force: true })
    },
  }
}

/** The hub that holds the folder and answers, if there is one. A hub of which this folder is a copy is none. */
export async function findHub(folder: string): Promise<HubAddress | undefined> {
  const holder = await readHolder(folder)
  if (holder?.address === undefined || !(await isAlive(holder))) return undefined
  const announced = await readAddress(holder.address)
  if (!announced || !isSameProcess(announced, holder)) return undefined
  const { url, secret } = announced
  try {
    const response = await fetch(new URL('/livez', url), { signal: AbortSignal.timeout(5000) })
    return response.ok ? { url, secret } : undefined
  } catch {
    return undefined
  }
}

interface Process {
  readonly pid: number
  /** When the process started, as the kernel counts; undefined where it does not tell. */
  readonly born?: string | undefined
}

/** Content of the claim. */
interface Holder extends Process {
  /** Device and inode of the folder that is claimed; absent in claims of earlier versions. */
  readonly folder?: string
  /** File with the address of the hub; absent until it listens. */
  readonly address?: string
}

interface Announced extends Process, HubAddress {}

/** The claim of this folder; undefined where there is none, or one that was copied here with another folder. */
async function readHolder(folder: string): Promise<Holder | undefined> {
  const { pid, ...holder } = (await readJson<Holder>(join(folder, fileName))) ?? {}
  if (typeof pid !== 'number') return undefined
  if (holder.folder !== undefined && holder.folder !== (await identityOf(folder))) return undefined
  return { pid, ...holder }
}

async function readAddress(file: string): Promise<Announced | undefined> {
  const { pid, url, secret, born } = (await readJson<Announced>(file)) ?? {}
  if (typeof pid !== 'number' || typeof url !== 'string' || typeof secret !== 'string') return undefined
  return { pid, born, url, secret }
}

/** Of a hub that was killed. The claim may name any file: only an address of the same process is removed. */
async function removeAddress(holder: Holder): Promise<void> {
  if (holder.address === undefined) return
  const announced = await readAddress(holder.address)
  if (announced && isSameProcess(announced, holder))
    await rm(holder.address, { force: true }).catch(() => undefined)
}

const isSameProcess = (a: Process, b: Process): boolean => a.pid === b.pid && a.born === b.born

/** Windows has none, and one user for each folder of temporary files. */
const userId = (): number => process.getuid?.() ?? 0

async function identityOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true })
  return `${dev}-${ino}`
}

/** A file of its own for each folder and process, so that hubs of one user do not disturb each other. */
async function writeAddress(self: Holder, { url, secret }: HubAddress): Promise<string> {
  const folder = await runFolder()
  await removeDead(folder)
  const file = join(folder, `${self.folder}-${self.pid}.json`)
  const announced: Announced = { pid: self.pid, born: self.born, url, secret }
  await writeWhole(file, JSON.stringify(announced))
  return file
}

/** Addresses of hubs that were killed and whose data folders may be gone. */
async function removeDead(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\d+-\d+-(\d+)\.json(\.tmp)?$/.exec(name)?.[1]
    if (pid !== undefined && !(await isAlive({ pid: Number(pid) })))
      await rm(join(folder, name), { force: true })
  }
}

/** Runtime folder of the service (systemd), of the user's session, or one below the folder for temporary files. */
async function runFolder(): Promise<string> {
  const { RUNTIME_DIRECTORY, XDG_RUNTIME_DIR } = process.env
  const [service] = (RUNTIME_DIRECTORY ?? '').split(':')
  if (service) return service
  const session =
    XDG_RUNTIME_DIR && existsSync(XDG_RUNTIME_DIR) ? join(XDG_RUNTIME_DIR, 'homeostat') : undefined
  for (const folder of [session, join(tmpdir(), `homeostat-run-${userId()}`)]) {
    if (folder !== undefined && (await isOwn(folder))) return folder
  }
  return mkdtemp(join(tmpdir(), 'homeostat-run-'))
}

/** Makes it where it is missing. False where it is not this user's alone: the folder for temporary files is everybody's. */
async function isOwn(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 }).catch(() => undefined)
    const found = await lstat(folder)
    return found.isDirectory() && found.uid === userId() && (found.mode & 0o077) === 0
  } catch {
    return false
  }
}

async function readJson<Content extends object>(file: string): Promise<Partial<Content> | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'))
    return typeof content === 'object' && content !== null ? (content as Partial<Content>) : undefined
  } catch {
    // absent, or cut short by a power cut: nobody holds the folder by it
    return undefined
  }
}
/** After a power cut the number of the process may belong to another one: then its start is another, too. */
async function isAlive({ pid, born }: Process): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const now = await bornOf(pid)
  return born === undefined || now === undefined || born === now
}

/** Clock ticks from the boot to the start of the process, the 22nd field of proc(5); the name may hold anything. */
async function bornOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
