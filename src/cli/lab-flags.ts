/** Flags that the commands of `lab` share, checked before anything is read. */
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { HomeostatError } from '../core/errors.ts'

/** An IANA time zone. */
export function zone(text: string): string {
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
