import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config/load.ts'
import type { Log } from './core/ports.ts'
import { isDerived } from './core/series.ts'
import { dayMs, hourMs } from './core/time.ts'
import { Turns } from './core/turns.ts'
import type { Engine } from './engine/engine.ts'
import { createRandom } from './ml/random.ts'
import { systemClock } from './platform/clock.ts'
import { counterMetric, seriesName } from './sources/simulator/sensors.ts'
import { createSimulator, type SimulatorOptions } from './sources/simulator.ts'

const siteId = 'demo'
/** History is coarser than the live home: it is there to learn from, not to look at by the second. */
const historyStepMs = 15 * 60_000
/** Enough to forecast from; what is older comes after it, to learn from. */
const recentMs = 2 * dayMs

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
  readonly #erasing = new Turns(1)

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
    if (enabled === false) return
    if (enabled === 'auto' && (!onlyDemo || existsSync(this.#marker))) {
      // the first real reading came before the home was started, or the process ended while it was being removed
      if (this.is(siteId)) await this.remove()
      return
    }
    const unsubscribe = this.#engine.feed.subscribe((news) => {
      if (news.kind !== 'readings' || news.readings.every((reading) => reading.site === siteId)) return
      unsubscribe()
      this.#log.info('Real readings arrive: the demo home is removed.')
      this.remove().catch((error: unknown) =>
        this.#log.error('The demo home could not be removed.', { error: String(error) }),
      )
    })
    const {
      site,
      simulator,
      retention: { readingsDays },
    } = this.#config
    const now = systemClock.now()
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
      ...(await pastOf(this.#engine, now, Math.min(historyDays, readingsDays ?? historyDays) * dayMs)),
      olderSlowStepMs: hourMs,
      tickMs: 2 * 60_000,
      warmUpTickMs: 5 * 60_000,
      // what its counters stand at is taken over from what is stored, and so none may begin anew
      faults: { reset: 0 },
    })
    const { home } = source
    await this.#engine.putSite(home.site, home.devices)
    if (this.#removed) return this.#erase()
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
    await this.#erase()
  }

  /** One after the other: the home may be removed while it is still being set up. */
  #erase(): Promise<void> {
    return this.#erasing.run(async () => {
      if (this.is(siteId)) await this.#engine.removeSite(siteId)
    })
  }
}

/**
 * What of the past is to be told. To begin with the newest days come first, since all forecasts wait for them. Later
 * the home goes on from its newest reading, and what a hub that ended too early left out of the older days comes again.
 */
export async function pastOf(
  engine: Pick<Engine, 'latest' | 'readings'>,
  now: number,
  historyMs: number,
): Promise<Pick<SimulatorOptions, 'older' | 'stands'> & { readonly historyFrom: number }> {
  const from = onStep(now - historyMs)
  const newest = engine.latest().filter(({ site }) => site === siteId)
  if (newest.length === 0) {
    const historyFrom = Math.max(from, onStep(now - recentMs))
    return { historyFrom, ...(from < historyFrom ? { older: { from, to: historyFrom } } : {}) }
  }
  // the step that is stored last may have been cut short: it is told again
  const newestAt = newest.reduce((last, { at }) => Math.max(last, at), 0)
  const stands = new Map(newest.map((reading) => [seriesName(reading), reading.value]))
  const older = await missingPast(engine, from)
  return { historyFrom: Math.max(from, newestAt), stands, ...(older ? { older } : {}) }
}

/** The counters of an older past come last and the newest of them first: where the oldest are there, so is all else. */
async function missingPast(
  engine: Pick<Engine, 'readings'>,
  from: number,
): Promise<SimulatorOptions['older'] | undefined> {
  const sites = [siteId]
  const counters = { sites, metric: counterMetric }
  const first = await engine.readings({ sites }, firstReadings)
  const oldest = first.find(({ device }) => !isDerived(device))
  const [counted] = await engine.readings(counters, 1)
  if (!oldest || !counted) return undefined
  const isCutShort = counted.at - oldest.at >= historyStepMs
  // by less than a day a past falls short where old readings are cleared away
  if (!isCutShort && counted.at - from < dayMs) return undefined
  const stands = new Map<string, number>()
  // a meter that is silent there may be so for some hours
  for (const reading of await engine.readings({ ...counters, from: counted.at }, firstReadings)) {
    if (!stands.has(seriesName(reading))) stands.set(seriesName(reading), reading.value)
  }
  // from the same beginning the home tells the same again, and twice is once
  return { from: isCutShort ? oldest.at : from, to: counted.at, stands }
}

const firstReadings = 2_000

const onStep = (at: number): number => Math.floor(at / historyStepMs) * historyStepMs
