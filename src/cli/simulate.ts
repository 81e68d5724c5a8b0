import { type Command, InvalidArgumentError, Option } from 'commander'
import { isZone } from '../core/calendar.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { parseTime } from '../core/reading.ts'
import { dayMs } from '../core/time.ts'
import { createRandom } from '../ml/random.ts'
import { systemClock } from '../platform/clock.ts'
import { seedOf } from '../sources/simulator/chance.ts'
import { noFaults } from '../sources/simulator/faults.ts'
import type { Home } from '../sources/simulator/home.ts'
import { createSimulator } from '../sources/simulator.ts'
import type { Output } from './progress.ts'
import { fileTarget } from './simulate-files.ts'
import { mqttTarget } from './simulate-mqtt.ts'
import { simulateProgress } from './simulate-progress.ts'
import type { Target } from './simulate-target.ts'

/** The flags of `homeostat simulate`. Times in ms unless named otherwise. */
export interface SimulateOptions {
  readonly homes: number
  readonly seed: number
  readonly step: number
  /** Absent: for ever, live, which only MQTT can take. */
  readonly days?: number
  /** Simulated seconds in a second, 0 as fast as it goes. Absent: 0 with `days`, 1 without. */
  readonly speed?: number
  readonly start?: number
  readonly mqtt?: string
  readonly topicPrefix: string
  readonly out?: string
  readonly faults: boolean
  readonly zone: string
  readonly latitude: number
  readonly longitude: number
}

export interface SimulateSummary {
  readonly homes: readonly Home[]
  readonly readings: number
  /** False when it was stopped before its days were over. */
  readonly finished: boolean
  /** 0 done, 130 stopped. */
  readonly exitCode: number
}

/** Adds `simulate` to the program. */
export function simulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('simulate homes, and send their readings over MQTT or write them to CSV files')
    .option('--homes <n>', 'number of homes; each of several is a site of its own', count(1, 1000), 1)
    .option(
      '--days <d>',
      'simulated days; without it the homes run until they are stopped (--mqtt only)',
      number(1e-3, 36_600),
    )
    .option('--speed <x>', 'simulated seconds in a second, 0 for as fast as it goes', number(0, 1e9))
    .option('--seed <s>', 'same seed, same homes', count(0, 2 ** 32 - 1), 1)
    .addOption(
      new Option('--step <seconds>', 'time between two readings of a sensor')
        .argParser(seconds)
        .default(60_000, '60'),
    )
    .option('--start <time>', 'start of the simulation, ISO 8601 (default: the days end now)', time)
    .option('--mqtt <url>', 'send to this broker, e.g. mqtt://127.0.0.1:1883, QoS 1, in the HyperVolt form')
    .option('--topic-prefix <prefix>', 'first levels of the topics', 'HyperVolt/sensors')
    .option('--out <folder>', 'write home-1.csv ... and truth.json (faults, who was where) to this folder')
    .option('--no-faults', 'sensors without gaps, spikes, stuck values and counter resets')
    .option('--zone <zone>', 'time zone of the homes', zone, 'Europe/Berlin')
    .option('--latitude <degrees>', 'latitude of the homes, north is positive', number(-66, 66), 52.5)
    .option('--longitude <degrees>', 'longitude of the homes, east is positive', number(-180, 180), 13.4)
    .action(async (options: SimulateOptions) => {
      const stop = new AbortController()
      const onSignal = (): void => stop.abort()
      process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
      try {
        const out = {
          write: (text: string) => process.stdout.write(text),
          isTTY: process.stdout.isTTY === true,
        }
        process.exitCode = (await simulate(options, out, systemClock, stop.signal)).exitCode
      } finally {
        process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      }
    })
}

/**
 * Runs the homes. All homes of one call are in one town and share its weather. Rejects with `data_invalid` where
 * the flags do not go together or the broker cannot be reached, `file_unreadable` where the folder cannot be written.
 */
export async function simulate(
  options: SimulateOptions,
  out: Output,
  clock: Clock,
  signal: AbortSignal,
): Promise<SimulateSummary> {
  const { seed, step: stepMs, days, zone, latitude, longitude } = options
  const start = startOf(options, clock.now())
  const until = days === undefined ? Number.POSITIVE_INFINITY : start + days * dayMs - 1
  const target = await targetOf(options, signal)
  const simulators = Array.from({ length: options.homes }, (_, index) =>
    createSimulator({
      zone,
      latitude,
      longitude,
      faults: options.faults ? {} : noFaults,
      seed: seedOf(seed, 'home', index),
      weatherSeed: seedOf(seed, 'town'),
      site: `home-${index + 1}`,
      name: `Simulated home ${index + 1}`,
      createRandom,
      clock,
      stepMs,
      start,
      until,
      speed: options.speed ?? (days === undefined ? 1 : 0),
      aheadOfClock: days !== undefined,
    }),
  )
  const from = Math.floor(start / stepMs) * stepMs
  const progress = simulateProgress(out, options.homes, from, until)
  let readings = 0
  let finished = false
  out.write(`${describe(options, from, until)} -> ${target.name}\n`)
  try {
    await Promise.all(
      simulators.map(async ({ home, run }, index) => {
        const emit = await target.emitFor(home)
        await run(async (batch) => {
          const receipt = await emit(batch)
          readings += receipt.accepted
          progress.update(index, Number(batch.at(-1)?.at), readings)
          return receipt
        }, signal)
      }),
    )
    finished = !signal.aborted
  } finally {
    progress.stop()
    await target.close(finished)
  }
  const homes = simulators.map((simulator) => simulator.home)
  const faults = homes.reduce((sum, home) => sum + home.faults().length, 0)
  out.write(
    `${finished ? 'Done' : 'Stopped'}: ${readings.toLocaleString('en')} readings, ${faults} faults.\n`,
  )
  return { homes, readings, finished, exitCode: finished ? 0 : 130 }
}

function targetOf(options: SimulateOptions, signal: AbortSignal): Promise<Target> {
  const refuse = (detail: string): never => {
    throw new HomeostatError('data_invalid', { detail })
  }
  if ((options.mqtt === undefined) === (options.out === undefined)) {
    return refuse('simulate needs one of --mqtt URL and --out FOLDER')
  }
  if (options.mqtt !== undefined) {
    return mqttTarget(options.mqtt, options.topicPrefix, options.homes > 1, signal)
  }
  if (options.days === undefined) return refuse('--out needs --days, a file has an end')
  return fileTarget(options.out ?? '', options)
}

function startOf(options: SimulateOptions, now: number): number {
  if (options.start !== undefined) return options.start
  const lastStep = Math.floor(now / options.step) * options.step
  return options.days === undefined ? lastStep : lastStep - options.days * dayMs
}

function describe(options: SimulateOptions, from: number, until: number): string {
  const homes = options.homes === 1 ? '1 home' : `${options.homes} homes`
  const end = Number.isFinite(until) ? new Date(until + 1).toISOString() : 'until stopped'
  return `${homes}, seed ${options.seed}, ${new Date(from).toISOString()} .. ${end}, every ${options.step / 1000} s`
}

function number(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= low && value <= high) return value
    throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`)
  }
}

function count(low: number, high: number): (text: string) => number {
  const parse = number(low, high)
  return (text) => {
    const value = parse(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError('It must be a whole number.')
  }
}

const seconds = (text: string): number => 1000 * count(1, 86_400)(text)

function time(text: string): number {
  const at = parseTime(text)
  if (at !== undefined && Number.isFinite(at)) return at
  throw new InvalidArgumentError('It must be a time in ISO 8601, e.g. 2025-03-01T00:00:00Z.')
}

function zone(text: string): string {
  if (isZone(text)) return text
  throw new InvalidArgumentError('It must be the name of a time zone, e.g. Europe/Paris.')
}
