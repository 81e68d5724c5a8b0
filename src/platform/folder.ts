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
  if (holder && holder.pid !== process.pid && isAlive(holder.pid)) {
    throw new HomeostatError('data_locked', { folder, pid: holder.pid })
  }
  await writeWhole(file, JSON.stringify({ pid: process.pid }))
  return {
    announce: (address) => writeWhole(file, JSON.stringify({ pid: process.pid, ...address })),
    release: () => rm(file, { force: true }),
  }
}

/** The hub that holds the folder and answers, if there is one. */
export async function findHub(folder: string): Promise<HubAddress | undefined> {
  const holder = await readHolder(join(folder, fileName))
  if (!holder?.url || !holder.secret || !isAlive(holder.pid)) return undefined
  try {
    const response = await fetch(new URL('/livez', holder.url), { signal: AbortSignal.timeout(5000) })
    return response.ok ? { url: holder.url, secret: holder.secret } : undefined
  } catch {
    return undefined
  }
}

async function readHolder(file: string): Promise<({ pid: number } & Partial<HubAddress>) | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(file, 'utf8'))
    const valid =
      typeof holder === 'object' && holder !== null && 'pid' in holder && typeof holder.pid === 'number'
    return valid ? (holder as { pid: number }) : undefined
  } catch {
    // absent, or cut short by a power cut: nobody holds the folder by it
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
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
