import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Command } from 'commander'
import { nameOf, streamBackup } from '../backup.ts'
import { HomeostatError } from '../core/errors.ts'
import { type Manifest, saveBackup } from '../platform/backup.ts'
import { findHub, type HubAddress } from '../platform/folder.ts'
import { createLog } from '../platform/log.ts'
import { type ConfigFlags, configFileOf, configFlags, configOf } from './flags.ts'
import { toError } from './hub-client.ts'
import { jsonText } from './lab-text.ts'
import { lineNowAndThen, type Output } from './progress.ts'
import { restore } from './restore.ts'

interface BackupFlags extends ConfigFlags {
  readonly json?: boolean
}

const mib = 2 ** 20

/** Adds `backup`. */
export function backupCommand(program: Command, version: string): void {
  configFlags(
    program
      .command('backup [file]')
      .description('back up everything that the hub keeps into one file, while it runs or not'),
  )
    .option('--json', 'one JSON object instead of text')
    .action((file: string | undefined, flags: BackupFlags) => backup(file, flags, version))
}

/** Adds `restore`. */
export function restoreCommand(program: Command): void {
  configFlags(program.command('restore <file>').description('restore a backup into an empty folder'))
    .option('--json', 'one JSON object instead of text')
    .action(async (file: string, flags: BackupFlags) => {
      const config = configOf(flags)
      const manifest = await restore(resolve(file), config)
      const more = manifest.files.some(({ name }) => name === 'homeostat.yaml')
        ? `Its configuration is in ${join(config.data, 'homeostat.yaml')}.\n`
        : ''
      const text = `Restored the backup of ${iso(manifest.createdAt)} into ${config.data}: ${sizeOf(manifest)}, checked.\n${more}Start a hub on it with: homeostat serve --data ${config.data}\n`
      process.stdout.write(flags.json ? jsonText(summaryOf(file, manifest)) : text)
    })
}

async function backup(file: string | undefined, flags: BackupFlags, version: string): Promise<void> {
  const config = configOf(flags)
  const target = targetOf(file)
  const out: Output = { write: (text) => process.stderr.write(text), isTTY: process.stderr.isTTY }
  const progress = lineNowAndThen(out)
  const onBytes = (bytes: number): void => progress(() => `${(bytes / mib).toFixed(0)} MB written`)
  const address = await findHub(config.data)
  const manifest = address
    ? await saveBackup(await streamOf(address), target, onBytes)
    : await backupStopped(flags, version, (stream) => saveBackup(stream, target, onBytes))
  const text = `Backed up ${sizeOf(manifest)} of ${config.data} into ${target}, and checked it.\n`
  process.stdout.write(flags.json ? jsonText(summaryOf(target, manifest)) : text)
}

/** In a folder the backup gets a name of its own. */
function targetOf(file = '.'): string {
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isFolder ? resolve(file, nameOf(Date.now())) : resolve(file)
}

/** The hub packs, and this process writes: so the file may lie where the hub may not write. */
async function streamOf({ url, secret }: HubAddress): Promise<Readable> {
  const response = await fetch(new URL('/api/v1/backup', url), {
    headers: { authorization: `Bearer ${secret}` },
  })
  if (!response.ok || !response.body) throw toError(await response.json())
  const stream = Readable.fromWeb(response.body as ReadableStream)
  return Readable.from(pieces(stream, url))
}

async function* pieces(stream: Readable, url: string): AsyncGenerator<unknown> {
  try {
    yield* stream
  } catch (error) {
    const { cause } = error as Error
    const detail = cause instanceof Error ? cause.message : String(error)
    throw new HomeostatError('hub_gone', { url, detail }, error)
  }
}

/** Without a hub this process is one for a while; nobody else can reach it. */
async function backupStopped(
  flags: ConfigFlags,
  version: string,
  save: (stream: Readable) => Promise<Manifest>,
): Promise<Manifest> {
  const config = configOf(flags)
  requireData(config.data)
  const { openEngine } = await import('../main.ts')
  const { engine, close } = await openEngine(config, createLog('error'), version)
  try {
    return await save(await streamBackup(config, { version, configFile: configFileOf(flags) }, engine.freeze))
  } finally {
    await close()
  }
}

function requireData(data: string): void {
  const names = ['contents', 'ledger.db', 'readings.duckdb']
  if (names.some((name) => statSync(join(data, name), { throwIfNoEntry: false }))) return
  throw new HomeostatError('not_found', { what: `data in ${data}; name its folder with --data` })
}

const bytesOf = ({ files }: Manifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
const sizeOf = (manifest: Manifest): string =>
  `${manifest.files.length} files (${(bytesOf(manifest) / mib).toFixed(1)} MB, up to turn ${manifest.position})`
const iso = (at: number): string => new Date(at).toISOString()

const summaryOf = (file: string, manifest: Manifest) => ({
  ...{ file, version: manifest.version, createdAt: manifest.createdAt, position: manifest.position },
  ...{ files: manifest.files.length, bytes: bytesOf(manifest) },
})
