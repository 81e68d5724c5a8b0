import { isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import type { Config } from '../config/load.ts'
import type { Emit } from '../core/ports.ts'
import { findHub } from '../platform/folder.ts'
import { createLog } from '../platform/log.ts'
import { createPushSource } from '../sources/push.ts'
import { type ConfigFlags, configFlags, configOf, stopSignal } from './flags.ts'
import { announcedImport, createHubClient } from './hub-client.ts'
import { importFile, importFlags } from './import.ts'
import type { ImportOptions } from './import-options.ts'

type Flags = ConfigFlags & Omit<ImportOptions, 'file' | 'stateFolder'>

/** Adds `import FILE`. Works on the data folder, or through the hub that holds it. */
export function importCommand(program: Command): void {
  const command = configFlags(program.command('import <file>').description('bring a CSV file in'))
  importFlags(command).action(async (file: string, flags: Flags) => {
    const config = configOf(flags)
    const { signal, release } = stopSignal()
    const options: ImportOptions = {
      ...flags,
      file: isAbsolute(file) ? file : resolve(file),
      stateFolder: config.data,
      siteZone: await siteZoneOf(config, flags.site),
    }
    const out = { write: (text: string) => void process.stdout.write(text), isTTY: process.stdout.isTTY }
    const target = flags.dryRun === true ? dryTarget : await openTarget(config)
    try {
      out.write(target.says)
      const { exitCode } = await importFile(options, target.emit, out, signal)
      process.exitCode = exitCode
    } finally {
      await target.close()
      release()
    }
  })
}

/** The zone of the site that the readings go to: as its hub knows it, else as the configuration says. */
async function siteZoneOf(config: Config, site = config.site.id): Promise<{ zone: string; why: string }> {
  const address = await findHub(config.data)
  if (address) {
    const { request } = createHubClient(address)
    const known = siteZones.safeParse(await request('GET', `/api/v1/sites?site=${encodeURIComponent(site)}`))
    const zone = known.data?.items.find(({ id }) => id === site)?.zone
    if (zone !== undefined) return { zone, why: `the zone of the site "${site}"` }
  }
  return { zone: config.site.zone, why: 'site.zone of the configuration' }
}

const siteZones = z.object({ items: z.array(z.object({ id: z.string(), zone: z.string() })) })

interface Target {
  readonly says: string
  readonly emit: Emit
  close(): Promise<void>
}

const dryTarget: Target = {
  says: '',
  emit: async () => ({ accepted: 0, rejected: [] }),
  close: async () => undefined,
}

/** A hub that holds the folder takes the readings; without one the folder itself does. */
async function openTarget(config: Config): Promise<Target> {
  const address = await findHub(config.data)
  if (address) {
    const { emit, end } = announcedImport(createHubClient(address), config.site.id)
    return {
      says: `A hub holds ${config.data}: importing through ${address.url}\n`,
      emit,
      close: end,
    }
  }
  const { openEngine } = await import('../main.ts')
  const { engine, close } = await openEngine(config, createLog('warn'))
  const push = createPushSource()
  engine.startSource(push)
  return { says: `Importing into ${config.data}\n`, emit: (rows) => push.push(rows), close }
}
