import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from './config/load.ts'
import type { FrozenStores } from './core/frozen.ts'
import type { Backups } from './engine/options.ts'
import { packBackup, partialEnd, saveBackup } from './platform/backup.ts'
import { systemClock } from './platform/clock.ts'

export interface BackupSource {
  /** Of the program. */
  readonly version: string
  readonly configFile: string | undefined
}

/** A backup of the data folder, the learnt models in files and the configuration file, packed while it is read. */
export async function streamBackup(
  config: Config,
  { version, configFile }: BackupSource,
  freeze: () => Promise<FrozenStores>,
): Promise<Readable> {
  const { data, artifacts, backup } = config
  return packBackup({
    stores: await freeze(),
    version,
    createdAt: systemClock.now(),
    others: {
      ...(artifacts.store === 'file' ? { models: artifacts.folder ?? join(data, 'models') } : {}),
      ...(configFile === undefined ? {} : { 'homeostat.yaml': configFile }),
    },
    msMax: backup.secondsMax * 1000,
  })
}

/** Daily backups into the folder of the configuration; undefined where it names none. */
export function dailyBackups(config: Config, source: BackupSource): Backups | undefined {
  const { folder, hour, kept } = config.backup
  if (folder === undefined) return undefined
  return {
    hour,
    async save(freeze, signal) {
      const stream = await streamBackup(config, source, freeze)
      const abort = (): void => void stream.destroy(new Error('the hub stops'))
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      try {
        await saveBackup(stream, join(resolve(folder), nameOf(systemClock.now())))
      } finally {
        signal.removeEventListener('abort', abort)
      }
      await removeOld(resolve(folder), kept)
    },
  }
}

/** The name of a backup that is made at this time, UTC ms. Names sort by time. */
export const nameOf = (at: number): string =>
  `homeostat-${new Date(at).toISOString().slice(0, 19).replaceAll(':', '-')}Z.tar.gz`

const ownName = /^homeostat-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.tar\.gz(\.partial)?$/

/** Files with other names are left alone. */
async function removeOld(folder: string, kept: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => ownName.test(name)).sort()
  const whole = names.filter((name) => !name.endsWith(partialEnd))
  // one that a killed process was writing
  const partial = names.filter((name) => name.endsWith(partialEnd))
  for (const name of [...whole.slice(0, -kept), ...partial]) await rm(join(folder, name), { force: true })
}
