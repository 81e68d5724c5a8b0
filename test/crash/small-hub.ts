import type { Log, ReadingStore } from '../../src/core/ports.ts'
import { Counters } from '../../src/engine/counters.ts'
import { Directory } from '../../src/engine/directory.ts'
import { Feed } from '../../src/engine/feed.ts'
import { Incidents } from '../../src/engine/incidents/incidents.ts'
import { options as incidentOptions } from '../../src/engine/incidents/made-alerts.ts'
import { Projector } from '../../src/engine/projector.ts'
import { Pump } from '../../src/engine/pump.ts'
import { Reactor } from '../../src/engine/reactor.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { createMqttSource, hypervoltMappings } from '../../src/sources/mqtt.ts'
import { createThroughJournal } from '../../src/stores/journal/through.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createDuckDbReadings } from '../../src/stores/readings/duckdb.ts'
import { createMemoryWindows } from '../../src/stores/window/memory.ts'

/**
 * The way of a reading from the MQTT broker to the disk, of the real pieces, without the rest of the hub.
 * `early` is the control of the crash test: its store says "durable" before it is.
 *
 * Run as: small-hub.ts FOLDER PORT early|honest
 */
const [folder = '', port = '', manner = ''] = process.argv.slice(2)

const log: Log = {
  info: () => {},
  warn: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
}

function saidTooEarly(store: ReadingStore): ReadingStore {
  const append: ReadingStore['append'] = async (readings) => {
    store.append(readings).catch((error: unknown) => log.error('append', { error: String(error) }))
  }
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'append') return append
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const store = createDuckDbReadings({ folder })
await store.open()
const ledger = createMemoryLedger()
const readings = manner === 'early' ? saidTooEarly(store) : store
const journal = createThroughJournal({ readings, ledger })
const windows = createMemoryWindows({ capacity: 60 })
const counters = new Counters()
const pump = new Pump(
  {
    projector: new Projector(
      { journal, readings, ledger, clock: systemClock, log },
      { journalLagBytes: 1 << 20, journalKeptMs: 0 },
    ),
    windows,
    directory: new Directory(ledger, { id: 'home', name: 'Home', zone: 'UTC' }),
    reactor: new Reactor(
      {
        settings: { domains: [], current: () => ({}) },
        windows,
        names: { zoneOf: () => 'UTC', nameOf: () => undefined },
        counters,
        clock: systemClock,
        log,
      },
      { liveWithinMs: 600_000 },
    ),
    incidents: new Incidents(incidentOptions),
    feed: new Feed((error) => log.error('feed', { error: String(error) })),
    counters,
    clock: systemClock,
    log,
    onAlerts: () => undefined,
    onCommands: () => undefined,
    onCommitted: () => undefined,
  },
  { defaultSite: 'home', inboxReadings: 65_536, turnReadings: 4096, series: 100_000, maxFutureMs: 600_000 },
)
const broker = createMqttSource({
  kind: 'broker',
  host: '127.0.0.1',
  port: Number(port),
  mappings: hypervoltMappings('HyperVolt/sensors'),
  payloadBytes: 65_536,
  batchReadings: 4096,
  defaultSite: 'home',
  log,
})
await broker.run(pump.emitFor('mqtt'), new AbortController().signal)
