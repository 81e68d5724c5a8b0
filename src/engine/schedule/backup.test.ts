import { afterEach, expect, it } from 'vitest'
import { startTestHub, type TestHub } from '../../../test/hub.ts'

let hub: TestHub | undefined
afterEach(() => hub?.close())

it('the schedule makes a backup every day where backups are wanted', async () => {
  let count = 0
  const save = async (): Promise<void> => void count++
  hub = await startTestHub({ backups: { hour: 4, save } })
  const { scheduler } = hub.engine
  expect(scheduler.triggers().find(({ name }) => name === 'backup')).toMatchObject({
    cron: '0 4 * * *',
    enabled: true,
  })
  await scheduler.run('backup')
  await expect.poll(() => count).toBe(1)
})

it('the schedule tells people when a backup fails', async () => {
  hub = await startTestHub({
    backups: { hour: 4, save: () => Promise.reject(new Error('the disk /mnt/backups is full')) },
  })
  await hub.engine.scheduler.run('backup')
  const { notes } = hub.engine.ledger
  await expect
    .poll(() => notes.infos({}, 10))
    .toMatchObject([
      { summary: 'The scheduled backup failed.', detail: 'the disk /mnt/backups is full', site: null },
    ])
})

it('the schedule has no backup where none is wanted', async () => {
  hub = await startTestHub()
  expect(hub.engine.scheduler.triggers().map(({ name }) => name)).not.toContain('backup')
})
