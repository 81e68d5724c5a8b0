import { Counter, Gauge, Registry } from 'prom-client'
import type { Engine } from '../engine/engine.ts'

/** The engine's counts in Prometheus text, read at the moment of the scrape. */
export function createMetrics(engine: Engine): Registry {
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
  count('homeostat_readings_stored_total', 'Readings on disk, since the start', () => counters.readingsStored)
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
  gauge('homeostat_training', 'Whether a model is being trained', () =>
    Number(engine.models.trainer.training),
  )
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('process_uptime_seconds', 'Time since the process started', () => process.uptime())
  const faults = new Counter({
    name: 'homeostat_monitor_faults_total',
    help: 'Conclusions of a monitor that failed',
    labelNames: ['domain'],
    registers: [registry],
    collect() {
      faults.reset()
      for (const [domain, count] of counters.monitorFaults) faults.inc({ domain }, count)
    },
  })
  const quarantined = new Counter({
    name: 'homeostat_quarantined_total',
    help: 'Rows that did not become a reading',
    labelNames: ['source', 'code'],
    registers: [registry],
    collect() {
      quarantined.reset()
      for (const [source, codes] of counters.quarantined) {
        for (const [code, rows] of codes) quarantined.inc({ source, code }, rows)
      }
    },
  })
  return registry
}
