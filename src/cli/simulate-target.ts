import type { Emit } from '../core/ports.ts'
import type { Home } from '../sources/simulator/home.ts'

/** Where the readings of simulated homes go. */
export interface Target {
  /** Its address, as shown to the user. */
  readonly name: string
  /** An emit for one home. */
  emitFor(home: Home): Promise<Emit>
  /** Called once at the end. With `false` incomplete files are removed. */
  close(finished: boolean): Promise<void>
}
