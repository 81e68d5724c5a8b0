import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { exitOf, HomeostatError } from '../core/errors.ts'
import { doctorCommand } from './doctor.ts'
import { importCommand } from './import-command.ts'
import { keyCommand } from './key.ts'
import { labCommand } from './lab.ts'
import { modelsCommand } from './models.ts'
import { serveCommand } from './serve.ts'
import { simulateCommand } from './simulate.ts'
import { trainCommand } from './train.ts'

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
  serveCommand(program, version)
  importCommand(program)
  simulateCommand(program)
  keyCommand(program)
  trainCommand(program, version)
  modelsCommand(program, version)
  labCommand(program)
  doctorCommand(program)
  try {
    await program.parseAsync(argv)
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
