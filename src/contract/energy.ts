import { z } from 'zod'
import * as csv from './csv.ts'
import { routeTable } from './route.ts'
import { isoOrMs, limit, pageOf } from './schemas.ts'

export const energySettings = z.strictObject({}).describe('Energy of devices.')

export const energyOfSpan = z.object({
  from: z.number(),
  to: z.number(),
  kwh: z.number().describe('the known energy of the span'),
  complete: z.boolean().describe('whether the energy of the whole span is known'),
})

export const energyQuery = z.object({
  site: z.string(),
  device: z.string(),
  by: z.enum(['hour', 'day']).default('hour').describe('civil hours or days in the zone of the site'),
  from: isoOrMs.optional().describe('default: a year before `to`'),
  to: isoOrMs.optional().describe('exclusive; default: now'),
  limit: limit(10_000, 1000),
  cursor: z.string().optional(),
})

type EnergyPage = { readonly items: readonly z.output<typeof energyOfSpan>[] }

export const energyCsv: csv.CsvForm<EnergyPage, z.output<typeof energyQuery>> = {
  columns: [
    ...[csv.time('from'), csv.time('to'), csv.text('site'), csv.text('device')],
    ...[csv.number('energy_kwh'), csv.flag('complete')],
  ],
  pageItems: 10_000,
  *rows({ items }, { site, device }) {
    for (const { from, to, kwh, complete } of items) yield [from, to, site, device, kwh, complete]
  },
}

export const energyTable = routeTable({
  name: 'energy',
  routes: {
    energy: {
      method: 'GET',
      path: '/api/v1/energy',
      summary:
        'Energy of a device by the hour or day, oldest first: the sum of its derived quarter-hours; spans of which nothing is known are left out',
      role: 'viewer',
      scope: 'query',
      query: energyQuery,
      reply: pageOf(energyOfSpan),
      csv: energyCsv,
    },
  },
})
