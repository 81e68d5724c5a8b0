import { type DestinationStream, destination, pino } from 'pino'
import type { Log } from '../core/ports.ts'

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
