import type { RawReading } from '../../core/reading.ts'

/** A reading of the simulator: every field is there, units are canonical. */
export interface SimulatedReading extends RawReading {
  readonly site: string
  readonly device: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly at: number
  readonly room: string
}
