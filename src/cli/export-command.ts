import { extname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { systemClock } from '../platform/clock.ts'
import { describeExport, exportRows } from './export.ts'
import { type ExportFormat, exportFile, exportFormats } from './export-file.ts'
import { type ExportSelection, exportable, exportTable } from './export-lists.ts'
import { type ConfigFlags, configFlags, configOf, parseMoment, stopSignal } from './flags.ts'
import { reachHub } from './hub-access.ts'

interface ExportFlags extends ConfigFlags, ExportSelection {
  readonly format?: ExportFormat
  readonly out: string
}

/** Adds `export`. Reads from the hub that holds the folder, or from the folder itself. */
export function exportCommand(program: Command, version: string): void {
  configFlags(program.command('export').description('write readings and what was made of them to a file'))
    .addOption(new Option('--what <list>', 'what to export').choices(exportable).default('readings'))
    .option('--site <id>', 'this site only')
    .option('--device <id>', 'this device only')
    .option('--metric <name>', 'this metric only')
    .option('--from <time>', 'ISO 8601, UTC without an offset', parseMoment)
    .option('--to <time>', 'exclusive; ISO 8601, UTC without an offset', parseMoment)
    .addOption(new Option('--by <span>', 'spans of --what energy (default: hour)').choices(['hour', 'day']))
    .addOption(
      new Option('--format <format>', 'default: by the name of the file, else csv').choices(exportFormats),
    )
    .requiredOption('--out <file>', 'file to write; it appears when it is whole')
    .action(async (flags: ExportFlags) => {
      const { signal, release } = stopSignal()
      const out = { write: (text: string) => void process.stdout.write(text), isTTY: process.stdout.isTTY }
      const hub = await reachHub(configOf(flags), { version, learn: false })
      try {
        const table = await exportTable(hub, flags, systemClock.now())
        const path = resolve(flags.out)
        const file = await exportFile(path, flags.format ?? formatOf(path), table.columns)
        const summary = await exportRows(table, file, out, signal)
        out.write(describeExport(summary, path))
        process.exitCode = summary.exitCode
      } finally {
        release()
        await hub.close()
      }
    })
}

const formatOf = (path: string): ExportFormat =>
  exportFormats.find((format) => extname(path).toLowerCase() === `.${format}`) ?? 'csv'
