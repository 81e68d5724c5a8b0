import { type DestinationStream, destination, pino } from 'pino'
import type { Log } from '../core/ports.ts'
import { type RotationOptions, readableLines, rotatingFile } from './log-streams.ts'

const secretFields = [
  'password',
  'secret',
  'key',
  'token',
  'authorization',
  '*.password',
  '*.secret',
  '*.token',
]

export interface LogOptions extends Omit<RotationOptions, 'file'> {
  readonly level: string
  /** Default: standard error. */
  readonly file?: string | undefined
}

/** The log of a hub: to a file, to people at a terminal, or as JSON to whatever reads standard error. */
export function createHubLog({ level, file, ...rotation }: LogOptions): Log {
  if (file !== undefined) return createLog(level, rotatingFile({ file, ...rotation }))
  return process.stderr.isTTY
    ? createLog(
        level,
        readableLines((line) => process.stderr.write(line)),
      )
    : createLog(level)
}

/** Structured log, a JSON line an entry, on standard error: standard output belongs to commands. */
export function createLog(
  level: string,
  stream: DestinationStream = destination({ fd: 2, sync: false }),
): Log {
  const logger = pino({ level, base: null, redact: { paths: secretFields, censor: '(secret)' } }, stream)
  return {
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  }
}
