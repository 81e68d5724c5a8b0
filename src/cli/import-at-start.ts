import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../config/load.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import { findHub } from '../platform/folder.ts'
import { createHubClient } from './hub-client.ts'
import { importFile } from './import.ts'

/** What identifies a version of a file. */
interface FileVersion {
  readonly file: string
  readonly bytes: number
  readonly modifiedMs: number
}

/**
 * Imports the CSV file that `importFile` of the configuration names, through the hub that runs on the data folder, and
 * remembers it there: a restart imports it again only where the file has changed, or goes on where it was stopped. A file
 * that cannot be imported is an error in the log; the hub goes on without it.
 */
export async function importAtStart(
  config: Pick<Config, 'data' | 'importFile' | 'site'>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  if (config.importFile === undefined) return
  const file = resolve(config.importFile)
  const memory = join(config.data, 'imports', 'at-start.json')
  try {
    const version = await versionOf(file)
    if ((await remembered(memory)) === JSON.stringify(version)) return
    const hub = await findHub(config.data)
    if (!hub) throw new HomeostatError('hub_gone', { url: config.data, detail: 'it does not answer' })
    const write = (text: string): void => {
      for (const line of text.split('\n')) if (line.trim() !== '') log.info(`Import: ${line.trim()}`)
    }
    const { finished } = await importFile(
      { file, zone: config.site.zone, stateFolder: config.data },
      createHubClient(hub).emit,
      { write, isTTY: false },
      signal,
    )
    if (!finished) return
    await mkdir(dirname(memory), { recursive: true })
    await writeFile(memory, JSON.stringify(version))
  } catch (error) {
    log.error('The file of importFile could not be imported.', {
      file,
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

async function versionOf(file: string): Promise<FileVersion> {
  const { size, mtimeMs } = await stat(file).catch((error: unknown) => {
    throw new HomeostatError('file_unreadable', { file, detail: 'it cannot be read' }, error)
  })
  return { file, bytes: size, modifiedMs: mtimeMs }
}

/** The text that was written last; undefined where nothing was. */
const remembered = (memory: string): Promise<string | undefined> =>
  readFile(memory, 'utf8').catch(() => undefined)
