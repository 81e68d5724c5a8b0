import type { Domain } from './domain.ts'
import { energy } from './energy/index.ts'
import { thresholds } from './thresholds/index.ts'

/** Everything that the hub watches and learns. A domain is one folder and one line here. */
export const domains: readonly Domain[] = [thresholds, energy]
