import { Counter, Gauge, Registry } from 'prom-client'
import type { DiskUsage } from '../core/disk.ts'
import type { MqttTopics } from '../core/topics.ts'
import type { Counters } from '../engine/counters.ts'
import type { Engine } from '../engine/engine.ts'

/** The engine's counts in Prometheus text, read at the moment of the scrape. */
export function createMetrics(engine: Engine, topics: MqttTopics): Registry {
  const registry = new Registry()
  const { counters } = engine
  const count = (name: string, help: string, read: () => number): void => {
    const counter = new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        counter.reset()
        counter.inc(read())
      },
    })
  }
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric = new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        metric.set(read())
      },
    })
  }
  count(
    'homeostat_readings_stored_total',
    'Readings on disk, since the start, without simulated ones',
    () => {
      const demos = new Set(engine.sites().flatMap(({ id, demo }) => (demo ? [id] : [])))
      return counters.readingsTotal((site) => demos.has(site))
    },
  )
  count('homeostat_turns_total', 'Commits', () => counters.turns)
  count(
    'homeostat_commits_failed_total',
    'Commits that failed; nothing of them was acknowledged',
    () => counters.commitsFailed,
  )
  count(
    'homeostat_commit_retries_total',
    'Commits that failed and were tried again',
    () => counters.commitRetries,
  )
  count('homeostat_commit_seconds_total', 'Time spent in commits', () => counters.commitMsTotal / 1000)
  count('homeostat_alerts_total', 'Alerts opened or closed', () => counters.alerts)
  count(
    'homeostat_alerts_unsent_total',
    'Alerts that could not be published over MQTT',
    () => counters.alertsUnsent,
  )
  count('homeostat_predictions_total', 'Live predictions', () => counters.predictions)
  gauge('homeostat_commit_seconds_max', 'Longest commit', () => counters.commitMsMax / 1000)
  gauge('homeostat_series', 'Series known', () => engine.seriesCount)
  gauge('homeostat_inbox_readings', 'Readings taken and not committed yet', () => engine.waiting)
  gauge('homeostat_live_listeners', 'Listeners on the feed', () => engine.feed.size)
  countStorage({ count, gauge }, engine)
  gauge('homeostat_training', 'Whether a model is being trained', () =>
    Number(engine.models.trainer.training),
  )
  countProcess({ count, gauge })
  countLabelled(registry, counters)
  countTopics(registry, topics)
  return registry
}

type Add = (name: string, help: string, read: () => number) => void

function countProcess({ count, gauge }: { readonly count: Add; readonly gauge: Add }): void {
  count('process_cpu_seconds_total', 'Processor time, of all threads', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('nodejs_heap_used_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed)
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers and libraries outside of the heap',
    () => process.memoryUsage().external,
  )
  gauge('process_uptime_seconds', 'Time since the process started', () => process.uptime())
}

function countStorage({ count, gauge }: { readonly count: Add; readonly gauge: Add }, engine: Engine): void {
  const disk = (read: (usage: DiskUsage) => number): number =>
    engine.storage.disk ? read(engine.storage.disk) : Number.NaN
  count(
    'homeostat_projections_failed_total',
    'Attempts to bring the stores up to the journal that failed; they are tried again',
    () => engine.storage.projectionsFailed,
  )
  count(
    'homeostat_turn_parts_refused_total',
    'Parts of turns that went to quarantine because a store refuses them',
    () => engine.storage.partsRefused,
  )
  gauge(
    'homeostat_journal_lag_frames',
    'Turns in the journal that the stores lack',
    () => engine.storage.lag.frames,
  )
  gauge('homeostat_journal_lag_bytes', 'What these take in the journal', () => engine.storage.lag.bytes)
  gauge('homeostat_journal_bytes', 'The journal on disk', () => engine.storage.journalBytes)
  gauge('homeostat_disk_used_ratio', 'Share of the disk of the data folder in use', () =>
    disk(({ usedShare }) => usedShare),
  )
  gauge('homeostat_disk_free_bytes', 'What is free on the disk of the data folder', () =>
    disk(({ freeBytes }) => freeBytes),
  )
}

function countLabelled(registry: Registry, { monitorFaults, quarantined }: Counters): void {
  countByLabels(
    registry,
    { name: 'homeostat_monitor_faults_total', help: 'Conclusions of a monitor that failed' },
    ['domain'],
    (add) => {
      for (const [domain, faults] of monitorFaults) add({ domain }, faults)
    },
  )
  countByLabels(
    registry,
    { name: 'homeostat_quarantined_total', help: 'Rows that did not become a reading' },
    ['source', 'code'],
    (add) => {
      for (const [source, codes] of quarantined) {
        for (const [code, rows] of codes) add({ source, code }, rows)
      }
    },
  )
}

/** What is heard over MQTT and not stored; topics are no labels, since there is no end of them. */
function countTopics(registry: Registry, topics: MqttTopics): void {
  const help =
    'MQTT messages that nothing reads, that have fields that nothing reads, or that are retained and of unknown age'
  countByLabels(registry, { name: 'homeostat_mqtt_not_understood_total', help }, ['kind'], (add) => {
    for (const [kind, messages] of Object.entries(topics.counts)) add({ kind }, messages)
  })
  const listed = new Gauge({
    name: 'homeostat_mqtt_topics_not_understood',
    help: 'Topics at /api/v1/topics',
    registers: [registry],
    collect() {
      listed.set(topics.heard().length)
    },
  })
}

/** A counter with a value for each combination of its labels; `read` adds them all. */
function countByLabels<Label extends string>(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  labelNames: readonly Label[],
  read: (add: (labels: Readonly<Record<Label, string>>, count: number) => void) => void,
): void {
  const counter = new Counter<Label>({
    ...{ name, help, labelNames },
    registers: [registry],
    collect() {
      counter.reset()
      read((labels, count) => counter.inc(labels, count))
    },
  })
}
