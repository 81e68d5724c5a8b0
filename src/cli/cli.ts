import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { exitOf, HomeostatError } from '../core/errors.ts'
import { toTheEnd } from './to-the-end.ts'

/** Adds a command to the program. */
type Add = (program: Command, version: string) => void

/** Every command by its name, in the order of the help. A module is loaded when it may be needed: they load much. */
const commands: Readonly<Record<string, () => Promise<Add>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  import: async () => (await import('./import-command.ts')).importCommand,
  export: async () => (await import('./export-command.ts')).exportCommand,
  simulate: async () => (await import('./simulate.ts')).simulateCommand,
  backup: async () => (await import('./backup.ts')).backupCommand,
  restore: async () => (await import('./backup.ts')).restoreCommand,
  replay: async () => (await import('./replay-command.ts')).replayCommand,
  key: async () => (await import('./key.ts')).keyCommand,
  user: async () => (await import('./user.ts')).userCommand,
  train: async () => (await import('./train.ts')).trainCommand,
  models: async () => (await import('./models.ts')).modelsCommand,
  devices: async () => (await import('./devices.ts')).devicesCommand,
  lab: async () => (await import('./lab.ts')).labCommand,
  sql: async () => (await import('./sql.ts')).sqlCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
}

/** The default command, those that are named anywhere among the words, and where help is asked for all of them. */
function needed(words: readonly string[]): (() => Promise<Add>)[] {
  const isHelp = ['help', '--help', '-h'].some((word) => words.includes(word))
  return Object.entries(commands).flatMap(([name, load]) =>
    isHelp || name === 'serve' || words.includes(name) ? [load] : [],
  )
}

/** The version of the package. */
export const version: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version

/** Runs the command line; sets the exit code. A known problem is one sentence on standard error, a bug its stack. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('homeostat')
    .description('Takes sensor readings in, keeps them, learns from them, and does not fool its user.')
    .version(version)
    .exitOverride()
  for (const load of needed(argv.slice(2))) (await load())(program, version)
  try {
    await toTheEnd(async () => void (await program.parseAsync(argv)))
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2
    } else if (error instanceof HomeostatError) {
      process.stderr.write(`${error.message}\n`)
      process.exitCode = exitOf(error.code)
    } else {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exitCode = 70
    }
  }
}
