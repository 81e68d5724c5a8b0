import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { contentsOf, createStores } from '../compose.ts'
import type { Config } from '../config/load.ts'
import { HomeostatError } from '../core/errors.ts'
import { type Manifest, readBackup, syncFolder } from '../platform/backup.ts'
import { unfinishedRestore } from '../platform/folder.ts'
import { beginJournal } from './replay.ts'

/** Beginnings of names that a restore makes. */
const ownNames = ['contents', 'homeostat.yaml', 'journal', 'ledger.db', 'models', 'readings.']

/**
 * Restores a backup into the data folder, which must be empty. Everything is written and checked in the folder `restoring`
 * within it and then moved; until that is gone, no hub uses the data folder, and the same call begins again.
 * Rejects with `folder_not_empty`, `file_unreadable` or `backup_invalid`; the folder is then as it was.
 */
export async function restore(file: string, config: Config): Promise<Manifest> {
  const { data } = config
  const isNew = !existsSync(data)
  await mkdir(data, { recursive: true, mode: 0o700 })
  await clearUnfinished(data)
  const staging = join(data, unfinishedRestore)
  let restored: Manifest
  try {
    await requireEmpty(data)
    await mkdir(staging, { mode: 0o700 })
    await syncFolder(data)
    const manifest = await readBackup(file, staging)
    await finishStores({ ...config, data: staging }, file, manifest)
    restored = manifest
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    if (isNew) await rmdir(data).catch(() => undefined)
    throw error
  }
  // cut short here, `restoring` stays, and no hub uses the folder
  await moveUp(staging, data)
  return restored
}

/** Removes what an interrupted restore has left: it began in an empty folder, so all of its names are its own. */
async function clearUnfinished(data: string): Promise<void> {
  if (!existsSync(join(data, unfinishedRestore))) return
  const own = (await readdir(data)).filter((name) => ownNames.some((beginning) => name.startsWith(beginning)))
  for (const name of own) await rm(join(data, name), { recursive: true })
  await rm(join(data, unfinishedRestore), { recursive: true })
}

async function requireEmpty(data: string): Promise<void> {
  // the root of a file system has it
  const found = (await readdir(data)).filter((name) => name !== 'lost+found')
  if (found.length === 0) return
  const names = `${found.slice(0, 3).join(', ')}${found.length > 3 ? ', ...' : ''}`
  throw new HomeostatError('folder_not_empty', { folder: data, found: names })
}

/** Opens the stores once, which checks them, and begins a journal that goes on where they end. */
async function finishStores(config: Config, file: string, { position }: Manifest): Promise<void> {
  const contents = contentsOf(config.data)
  const { readings, ledger, journal } = createStores(config, contents)
  try {
    await readings.open()
    await ledger.open()
    const found = [await readings.position(), await ledger.position()]
    if (found.some((one) => one !== position)) {
      const detail = `its stores are at the turns ${found.join(' and ')} instead of ${position}`
      throw new HomeostatError('backup_invalid', { file, detail })
    }
    await beginJournal(journal, position)
    await contents.begin(false, position + 1)
  } finally {
    await ledger.close()
    await readings.close()
    await contents.close()
  }
}

async function moveUp(staging: string, data: string): Promise<void> {
  await syncFolder(staging)
  for (const name of await readdir(staging)) await rename(join(staging, name), join(data, name))
  await syncFolder(data)
  await rmdir(staging)
  await syncFolder(data)
}
