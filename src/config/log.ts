import { z } from 'zod'

const mib = 1024 * 1024

export const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('How much the log says.'),
    file: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('File for the log, a JSON line an entry. Default: standard error; readable on a terminal.'),
    fileBytes: z
      .int()
      .min(1024)
      .max(1024 * mib)
      .default(10 * mib)
      .describe('Length of the file; then FILE becomes FILE.1, and a new one begins.'),
    filesKept: z.int().min(1).max(1000).default(5).describe('Files that are kept, the newest included.'),
    access: z
      .boolean()
      .default(true)
      .describe('A line for each request: route, status, time, key. Probes and scrapes have none.'),
  })
  .prefault({})
  .describe('The log.')
