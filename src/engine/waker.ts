import type { Clock, Log } from '../core/ports.ts'
import { minuteMs } from '../core/time.ts'
import type { Pump } from './pump.ts'
import type { Reactor } from './reactor.ts'

export interface WakerParts {
  readonly clock: Clock
  readonly reactor: Reactor
  readonly pump: Pick<Pump, 'contribute'>
  readonly log: Log
}

/** After it the wall clock is looked at again: it may have been set. */
const sleepMsMax = minuteMs
/** Between two rounds: a monitor that asks for the same moment again does not keep the loop busy. */
const sleepMsMin = 20

/** Wakes monitors at the times they asked for. */
export class Waker {
  readonly #parts: WakerParts
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #sleepsUntil = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined

  constructor(parts: WakerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#running
  }

  /** A monitor may want to be woken earlier than before. */
  look(): void {
    if (this.#parts.reactor.nextWakeAt < this.#sleepsUntil) this.#wake.abort()
  }

  async #run(): Promise<void> {
    const { clock, reactor, pump, log } = this.#parts
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      const now = clock.now()
      this.#sleepsUntil = Math.min(reactor.nextWakeAt, now + sleepMsMax)
      await clock.sleep(Math.max(sleepMsMin, this.#sleepsUntil - now), this.#wake.signal)
      this.#sleepsUntil = Number.NEGATIVE_INFINITY
      if (this.#stop.signal.aborted || !reactor.isWakeDue(clock.now())) continue
      try {
        await pump.contribute((turn) => reactor.wake(clock.now(), turn))
      } catch (error) {
        // what was concluded is owed to the next commit
        log.error('What monitors concluded when woken could not be stored.', { error: String(error) })
      }
    }
  }
}
