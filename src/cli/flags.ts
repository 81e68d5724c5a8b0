import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type Config, loadConfig } from '../config/load.ts'
import { parseTime } from '../core/reading.ts'
import { domains } from '../domains/index.ts'

/** Flags of every command that reads the configuration. */
export interface ConfigFlags {
  readonly config?: string
  readonly data?: string
}

/** Adds `--config` and `--data`. */
export const configFlags = (command: Command): Command =>
  configFlag(command).option('--data <folder>', 'folder that holds everything (default: ./data)')

/** Adds `--config`. */
export const configFlag = (command: Command): Command =>
  command.option(
    '--config <file>',
    'configuration file (default: homeostat.yaml in this folder, where there is one)',
  )

/** The configuration as this command sees it; `more` are further settings of its flags, by key. */
export const configOf = (flags: ConfigFlags, more: Readonly<Record<string, unknown>> = {}): Config =>
  loadConfig({
    file: flags.config,
    cwd: process.cwd(),
    env: process.env,
    domains,
    flags: { data: flags.data, ...more },
  })

/** The configuration file, whether it is there or not. */
export const configFileOf = ({ config = 'homeostat.yaml' }: ConfigFlags): string => resolve(config)

/** A whole number from 0 to 65535. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return port
}

/** UTC ms. Digits alone are refused: they may be seconds or milliseconds. */
export function parseMoment(text: string): number {
  const at = /^\d+$/.test(text.trim()) ? undefined : parseTime(text)
  if (at === undefined)
    throw new InvalidArgumentError('A time is ISO 8601, such as 2026-03-02T10:00:00Z or 2026-03-02.')
  return at
}

/** Aborts on SIGINT and SIGTERM; `release` gives the signals back. */
export function stopSignal(): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController()
  const abort = (): void => stop.abort()
  process.on('SIGINT', abort)
  process.on('SIGTERM', abort)
  return {
    signal: stop.signal,
    release: () => {
      process.off('SIGINT', abort)
      process.off('SIGTERM', abort)
    },
  }
}
