import { z } from 'zod'

/** Scheduled backups; part of schema.ts. */
export const backup = z
  .strictObject({
    folder: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('Folder of daily backups, best on another disk. Default: none are made.'),
    hour: z
      .int()
      .min(0)
      .max(23)
      .default(4)
      .describe("Hour of the day, in the site's zone, of the daily backup."),
    kept: z
      .int()
      .min(1)
      .max(10_000)
      .default(7)
      .describe('Daily backups that are kept in the folder, the newest.'),
    secondsMax: z
      .int()
      .min(10)
      .max(86_400)
      .default(3600)
      .describe('Time of one backup before it is given up: while it runs, the logs of the stores grow.'),
  })
  .prefault({})
  .describe('Backups.')
