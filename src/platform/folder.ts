import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HomeostatError } from '../core/errors.ts'

/** Where a hub that holds the folder can be asked. */
export interface HubAddress {
  readonly url: string
  /** API key of this run, for commands of the same user. */
  readonly secret: string
}

export interface FolderClaim {
  /** Writes the address for `findHub`, readable for this user only. */
  announce(address: HubAddress): Promise<void>
  release(): Promise<void>
}

const fileName = 'hub.json'

/**
 * Takes a data folder for this process; creates it where it is missing. Throws `data_locked` where another living
 * process holds it. The stores hold locks of their own; this one says so early and in a sentence.
 */
export async function claimFolder(folder: string): Promise<FolderClaim> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, fileName)
  const holder = await readHolder(file)
  if (holder && holder.pid !== process.pid && (await isAlive(holder))) {
    throw new HomeostatError('data_locked', { folder, pid: holder.pid })
  }
  const self: Holder = { pid: process.pid, born: await bornOf(process.pid) }
  await writeWhole(file, JSON.stringify(self))
  return {
    announce: (address) => writeWhole(file, JSON.stringify({ ...self, ...address })),
    release: () => rm(file, { force: true }),
  }
}

/** The hub that holds the folder and answers, if there is one. */
export async function findHub(folder: string): Promise<HubAddress | undefined> {
  const holder = await readHolder(join(folder, fileName))
  if (!holder?.url || !holder.secret || !(await isAlive(holder))) return undefined
  try {
    const response = await fetch(new URL('/livez', holder.url), { signal: AbortSignal.timeout(5000) })
    return response.ok ? { url: holder.url, secret: holder.secret } : undefined
  } catch {
    return undefined
  }
}

interface Holder extends Partial<HubAddress> {
  readonly pid: number
  /** When the process started, as the kernel counts; undefined where it does not tell. */
  readonly born?: string | undefined
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(file, 'utf8'))
    const valid =
      typeof holder === 'object' && holder !== null && 'pid' in holder && typeof holder.pid === 'number'
    return valid ? (holder as Holder) : undefined
  } catch {
    // absent, or cut short by a power cut: nobody holds the folder by it
    return undefined
  }
}

/** After a power cut the number of the process may belong to another one: then its start is another, too. */
async function isAlive({ pid, born }: Holder): Promise<boolean> {
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
