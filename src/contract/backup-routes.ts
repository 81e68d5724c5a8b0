import { z } from 'zod'
import type { Route } from './route.ts'

/** Backups. */
export const backupRoutes = {
  backup: {
    method: 'GET',
    path: '/api/v1/backup',
    summary: 'A backup of everything that the hub keeps, as a tar file compressed with gzip',
    role: 'admin',
    scope: 'hub',
    reply: z.unknown(),
  },
} as const satisfies Record<string, Route>
