import { mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DestinationStream, destination } from 'pino'

/** Where log entries go. */

const names: Readonly<Record<number, string>> = {
  ...{ 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' },
}

/** Entries as lines that people read: `14:03:22 info  Homeostat is ready. url=http://127.0.0.1:8000`. */
export const readableLines = (write: (line: string) => unknown): DestinationStream => ({
  write: (entry) => write(readable(entry)),
})

function readable(entry: string): string {
  const { level, time, msg, ...fields } = JSON.parse(entry) as Record<string, unknown>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`)
  return `${clock} ${(names[Number(level)] ?? String(level)).padEnd(5)} ${String(msg)}${rest.join('')}\n`
}

/** On one line, and without control characters: what strangers sent must not move the cursor of a terminal. */
function textOf(value: unknown): string {
  const text =
    typeof value === 'string' && /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(value) ? value : JSON.stringify(value)
  return String(text).replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1))
}

export interface RotationOptions {
  readonly file: string
  /** Length at which the next file begins. */
  readonly fileBytes: number
  /** Files that are kept: FILE, FILE.1, FILE.2, ... */
  readonly filesKept: number
}

/** A file that is replaced by a new one when it is long. Throws where it cannot be written. */
export function rotatingFile({ file, fileBytes, filesKept }: RotationOptions): DestinationStream {
  mkdirSync(dirname(file), { recursive: true })
  const stream = destination({ dest: file, sync: false, append: true })
  let bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  stream.on('write', (written: number) => {
    bytes += written
    if (bytes < fileBytes) return
    bytes = 0
    for (let age = filesKept - 1; age >= 1; age--)
      move(age === 1 ? file : `${file}.${age - 1}`, `${file}.${age}`)
    // one file alone begins anew
    if (filesKept === 1) move(file, `${file}.old`)
    stream.reopen()
  })
  return stream
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    // nothing there yet; a folder that cannot be written any more is no reason to end the hub
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.stderr.write(`${String(error)}\n`)
  }
}
