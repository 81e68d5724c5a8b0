import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config/load.ts'
import type { Log } from './core/ports.ts'
import type { Engine } from './engine/engine.ts'
import { createRandom } from './ml/random.ts'
import { systemClock } from './platform/clock.ts'
import { createSimulator } from './sources/simulator.ts'

const siteId = 'demo'
const dayMs = 86_400_000
/** History is coarser than the live home: it is there to learn from, not to look at by the second. */
const historyStepMs = 15 * 60_000

/**
 * The demo home: simulated, said to be so wherever it is shown, and gone for good with the first real reading or at
 * a click.
 */
export class Demo {
  readonly #engine: Engine
  readonly #config: Config
  readonly #log: Log
  readonly #marker: string
  #stop: (() => Promise<void>) | undefined
  #removed = false

  constructor(engine: Engine, config: Config, log: Log) {
    this.#engine = engine
    this.#config = config
    this.#log = log
    this.#marker = join(config.data, 'demo-removed')
  }

  is = (site: string): boolean =>
    site === siteId && this.#engine.sites().some(({ id, demo }) => id === site && demo)

  async startIfWanted(): Promise<void> {
    const { enabled } = this.#config.demo
    const latest = this.#engine.latest()
    const onlyDemo = latest.every(({ site }) => this.is(site))
    if (enabled === false || (enabled === 'auto' && (!onlyDemo || existsSync(this.#marker)))) return
    const { site, simulator } = this.#config
    const now = systemClock.now()
    const newestAt = latest.reduce((newest, { at }) => Math.max(newest, at), 0)
    const { seed, intervalSeconds, historyDays, latitude = 52.5, longitude = 13.4 } = simulator
    const source = createSimulator({
      clock: systemClock,
      createRandom,
      seed,
      site: siteId,
      name: 'Demo home',
      zone: site.zone,
      latitude,
      longitude,
      stepMs: intervalSeconds * 1000,
      historyStepMs,
      historyDays: Math.min(historyDays, (now - newestAt) / dayMs),
    })
    const unsubscribe = this.#engine.feed.subscribe((news) => {
      if (news.kind !== 'readings' || news.readings.every((reading) => reading.site === siteId)) return
      unsubscribe()
      this.#log.info('Real readings arrive: the demo home is removed.')
      this.remove().catch((error: unknown) =>
        this.#log.error('The demo home could not be removed.', { error: String(error) }),
      )
    })
    const { home } = source
    await this.#engine.putSite(home.site, home.devices)
    if (this.#removed) return this.#engine.removeSite(siteId)
    const { stop } = this.#engine.startSource(source)
    this.#stop = async () => {
      unsubscribe()
      await stop()
    }
    this.#log.info('No real reading yet: a simulated demo home runs.', { site: siteId })
  }

  /** Stops the simulator and erases its site, for good. */
  async remove(): Promise<void> {
    this.#removed = true
    const stop = this.#stop
    this.#stop = undefined
    await stop?.()
    await writeFile(this.#marker, '')
    if (this.is(siteId)) await this.#engine.removeSite(siteId)
  }
}
