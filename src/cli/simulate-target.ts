import type { Emit } from '../core/ports.ts'
import type { Home } from '../sources/simulator/home.ts'

/** Where the readings of simulated homes go. */
export interface Target {
  /** Where it goes, for people. */
  readonly name: string
  /** An emit for one home. */
  emitFor(home: Home): Promise<Emit>
  /** Called once at the end: keeps what is whole, or with `false` leaves nothing half done behind. */
  close(finished: boolean): Promise<void>
}
