import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Domain, Monitor } from '../../src/domains/domain.ts'
import { domains } from '../../src/domains/index.ts'
import { createMemoryJournal } from '../../src/stores/journal/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub } from '../hub.ts'

/** A domain whose monitors fail at every reading. */
const broken: Domain = {
  name: 'broken',
  settings: z.strictObject({}),
  scopes: (site, _settings, changed) =>
    [...(changed ?? site.all())].map((series) => ({
      target: { site: site.site, domain: 'broken', subject: series.device },
      sources: [series],
    })),
  monitor: (): Monitor => ({
    wakeAt: Number.POSITIVE_INFINITY,
    take() {
      throw new Error('out of order')
    },
  }),
}

test('/metrics counts faults of monitors by domain, retries, unsent alerts and what waits for its commit', async () => {
  const readings = createMemoryReadings()
  let [failures, release] = [0, (): void => undefined]
  let held = Promise.resolve()
  const hub = await startTestHub({
    open: true,
    domains: [...domains, broken],
    domainSettings: {
      thresholds: { rules: [{ name: 'hot', metric: 'temperature', above: 50, level: 'critical' }] },
    },
    readings: {
      ...readings,
      async append(rows) {
        await held
        if (failures-- > 0) throw new Error('the disk is full')
        await readings.append(rows)
      },
    },
  })
  hub.engine.addSink({
    send: () => Promise.reject(new Error('no connection')),
    close: async () => undefined,
  })
  const metric = async (line: string): Promise<string | undefined> => {
    const { body } = await hub.ask({ url: '/metrics' })
    return body.split('\n').find((one) => one.startsWith(`${line} `))
  }
  const faults = 'homeostat_monitor_faults_total{domain="broken"}'
  try {
    expect(await metric(faults)).toBeUndefined()
    failures = 1
    held = new Promise((resolve) => {
      release = resolve
    })
    const at = Date.now()
    const rows = [20, 80].map((value, index) => ({
      device: 'stove',
      metric: 'temperature',
      value,
      at: at + index,
    }))
    const pushed = hub.push(rows)
    await expect.poll(() => metric('homeostat_inbox_readings')).toBe('homeostat_inbox_readings 2')
    release()
    await pushed
    expect(await metric(faults)).toBe(`${faults} 2`)
    expect(await metric('homeostat_commit_retries_total')).toBe('homeostat_commit_retries_total 1')
    expect(await metric('homeostat_commits_failed_total')).toBe('homeostat_commits_failed_total 0')
    expect(await metric('homeostat_alerts_unsent_total')).toBe('homeostat_alerts_unsent_total 1')
    expect(await metric('homeostat_inbox_readings')).toBe('homeostat_inbox_readings 0')
  } finally {
    release()
    await hub.close()
  }
})

test('/metrics tells how far the stores are behind the journal, and how full the disk is', async () => {
  const readings = createMemoryReadings()
  const disk = { failing: true }
  const hub = await startTestHub({
    open: true,
    journal: { ...createMemoryJournal(), bytes: 8_388_608 },
    disk: {
      usage: async () => ({ usedShare: 0.625, freeBytes: 3_000_000 }),
    },
    readings: {
      ...readings,
      append: (rows, position) =>
        disk.failing ? Promise.reject(new Error('the disk is full')) : readings.append(rows, position),
    },
  })
  const names = [
    ...['journal_lag_frames', 'journal_lag_bytes', 'journal_bytes', 'projections_failed_total'],
    ...['disk_used_ratio', 'disk_free_bytes'],
  ]
  const metrics = async (): Promise<string[]> => {
    const lines = (await hub.ask({ url: '/metrics' })).body.split('\n')
    return names.map(
      (name) => lines.find((line) => line.startsWith(`homeostat_${name} `))?.split(' ')[1] ?? '',
    )
  }
  try {
    expect(await metrics()).toEqual(['0', '0', '8388608', '0', '0.625', '3000000'])
    await hub.push([{ device: 'stove', metric: 'temperature', value: 20, at: Date.now() }])
    await expect.poll(metrics).toEqual(['1', '76', '8388608', '1', '0.625', '3000000'])
    disk.failing = false
    await expect.poll(metrics, { timeout: 5000 }).toEqual(['0', '0', '8388608', '1', '0.625', '3000000'])
  } finally {
    await hub.close()
  }
})

test('/metrics has no number for a disk that cannot be asked', async () => {
  const hub = await startTestHub({ open: true, disk: { usage: () => Promise.reject(new Error('EIO')) } })
  const { body } = await hub.ask({ url: '/metrics' })
  expect(body).toContain('\nhomeostat_disk_used_ratio Nan\n')
  expect(body).toContain('\nhomeostat_disk_free_bytes Nan\n')
  await hub.close()
})
