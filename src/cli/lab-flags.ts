/** Flags that the commands of `lab` share, checked before anything is read. */
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { HomeostatError } from '../core/errors.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { siteZoneOf } from './site-zone.ts'

/** Where the zone of times is from: the flag, else the site as an import would ask for it. */
export interface ZoneFlags extends ConfigFlags {
  readonly zone?: string
}

/** Adds `--zone` and the flags that name the configuration. */
export const zoneFlags = (command: Command): Command =>
  configFlags(command).option(
    '--zone <zone>',
    'zone of the calendar, and of times without an offset (default: that of the site)',
    zone,
  )

/** Runs a command of `lab` in the zone of its times, and prints what it gives. A zone that nobody named follows, not in JSON. */
export async function printInZone<Flags extends { readonly zone: string; readonly json?: boolean }>(
  flags: Omit<Flags, 'zone'> & ZoneFlags,
  run: (flags: Flags) => Promise<string>,
  usesTimes: (flags: Omit<Flags, 'zone'>) => boolean = () => true,
): Promise<void> {
  const { zone: own, why } =
    flags.zone === undefined ? await siteZoneOf(configOf(flags)) : { zone: flags.zone, why: undefined }
  const text = await run({ ...flags, zone: own } as Flags)
  process.stdout.write(text)
  if (why === undefined || flags.json === true || !usesTimes(flags)) return
  process.stdout.write(`Zone of the times: ${own} (${why}; --zone ZONE if not)
`)
}

/** An IANA time zone. */
function zone(text: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return text
  } catch {
    throw new InvalidArgumentError('Zones are called as in Europe/Paris or UTC.')
  }
}

/** How files are read, the same in all commands. */
export interface ReadingFlags {
  readonly decimal?: '.' | ','
  readonly skipBadRows?: boolean
}

/** Adds the flags for reading files. */
export const readingFlags = (command: Command): Command =>
  command
    .option('--decimal <char>', 'decimal sign, . or , (default: by the numbers of each column)', decimal)
    .option('--skip-bad-rows', 'leave rows out that cannot be read, and write them to FILE.bad.csv')

/** The flags for reading files alone. */
export const readingOf = ({ decimal, skipBadRows }: ReadingFlags): ReadingFlags => ({
  ...(decimal === undefined ? {} : { decimal }),
  ...(skipBadRows === undefined ? {} : { skipBadRows }),
})

function decimal(text: string): '.' | ',' {
  if (text === '.' || text === ',') return text
  throw new InvalidArgumentError('The decimal sign is . or ,')
}

/** Names of columns, with commas between them. */
export function columns(text: string): string[] {
  const list = text.split(',').map((name) => name.trim())
  if (!list.every((name) => name !== ''))
    throw new InvalidArgumentError('Names of columns, with commas between.')
  const doubled = list.find((name, at) => list.indexOf(name) < at)
  if (doubled !== undefined) throw new InvalidArgumentError(`The column ${doubled} is named twice.`)
  return list
}

/** Rejects with `file_unreadable` where a file cannot be written: better known before minutes of work than after. */
export async function checkWritable(path: string): Promise<void> {
  const refuse = (detail: string): never => {
    throw new HomeostatError('file_unreadable', { file: path, detail })
  }
  const known = await stat(path).catch(() => undefined)
  if (known?.isDirectory() === true) refuse('it is a folder; name a file to write')
  const folder = dirname(path)
  const home = await stat(folder).catch(() => undefined)
  if (home?.isDirectory() !== true) refuse(`there is no folder ${folder} to write it into`)
  await access(folder, constants.W_OK).catch(() => refuse(`you may not write into ${folder}`))
}
