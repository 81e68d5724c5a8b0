import { z } from 'zod'

export const energySettings = z.strictObject({}).describe('Energy of devices.')
