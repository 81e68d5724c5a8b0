import type { FrozenStores } from '../../core/frozen.ts'
import type { EventFunction, Trigger } from '../../core/life.ts'
import type { Clock, Ledger, Log } from '../../core/ports.ts'
import { hourMs } from '../../core/time.ts'
import type { Directory } from '../directory.ts'
import type { Models } from '../models/models.ts'
import type { Backups } from '../options.ts'
import type { Upkeep } from '../upkeep.ts'
import { Scheduler, schedulerLimits } from './scheduler.ts'
import type { Call, Task } from './scheduler-runs.ts'
import type { NextRun } from './scheduler-timing.ts'

/** What the schedule needs of the world outside: cron arithmetic, and calls of addresses. */
export interface Calling {
  readonly nextRun: NextRun
  readonly call: Call
}

export interface ScheduleParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  readonly calling: Calling
  readonly directory: Directory
  readonly models: Models
  readonly upkeep: Upkeep
  readonly backups?: Backups | undefined
  readonly freeze: () => Promise<FrozenStores>
}

export interface RetrainOptions {
  /** Whether there is training at all. */
  readonly enabled: boolean
  /** Hour of the day in the site's zone. */
  readonly retrainHour: number
  /** 24: daily at `retrainHour`; else every so many hours. */
  readonly retrainHours: number
  /** Zone of the hub's own site, for what concerns all sites. */
  readonly zone: string
}

const cleanUpHour = 4
/** Past the hour: late readings of it are in by then. */
const rollUpMinute = 7

/**
 * The hub's own schedule: training of each zone's sites in their night, roll-ups, clean-up. Those of people come on
 * top.
 */
export function createSchedule(parts: ScheduleParts, options: RetrainOptions): Scheduler {
  const { ledger, clock, log, calling, directory, models, upkeep } = parts
  const { zone } = options
  const zones = [...new Set([zone, ...directory.sites().map((site) => site.zone)])]
  const retrains = zones.map((of): Work => {
    return {
      name: of === zone ? 'retrain' : `retrain ${of}`,
      event: of === zone ? 'RetrainEvent' : `RetrainEvent ${of}`,
      enabled: options.enabled,
      when: retrainTime(options, of),
      task: async () => {
        // a site whose zone came after the start goes with the hub's own until the next one
        const isOf = (its: string): boolean => its === of || (of === zone && !zones.includes(its))
        const sites = directory.sites().flatMap((site) => (isOf(site.zone) ? [site.id] : []))
        await models.train({ sites }, { by: 'schedule', force: false })
      },
    }
  })
  const works: readonly Work[] = [
    ...retrains,
    {
      ...{ name: 'clean-up', event: 'CleanUpEvent', enabled: true },
      when: { cron: `0 ${cleanUpHour} * * *`, zone },
      task: () => upkeep.cleanUp(),
    },
    {
      ...{ name: 'roll-up', event: 'RollUpEvent', enabled: true },
      when: { cron: `${rollUpMinute} * * * *`, zone },
      task: () => upkeep.rollUp(),
    },
    ...backupWork(parts, options),
  ]
  return new Scheduler(
    {
      ...{ schedule: ledger.schedule, clock, log, ...calling },
      tasks: Object.fromEntries(works.map(({ name, task }) => [name, task])),
      builtIn: { triggers: works.map(triggerOf), functions: works.map(functionOf) },
    },
    { ...schedulerLimits, zone },
  )
}

/** Something that the hub does by itself, by a trigger and a function of its name. */
interface Work {
  readonly name: string
  readonly event: string
  readonly enabled: boolean
  readonly when: Pick<Trigger, 'cron' | 'zone' | 'everyMs'>
  readonly task: Task
}

function backupWork(
  { backups, freeze, ledger, clock, log }: ScheduleParts,
  { zone }: RetrainOptions,
): readonly Work[] {
  if (!backups) return []
  return [
    {
      ...{ name: 'backup', event: 'BackupEvent', enabled: true },
      when: { cron: `0 ${backups.hour} * * *`, zone },
      async task({ signal }) {
        try {
          await backups.save(freeze, signal)
          log.info('A backup was made.')
        } catch (error) {
          const at = clock.now()
          const detail = error instanceof Error ? error.message : String(error)
          log.error('The scheduled backup failed.', { detail })
          const info = {
            id: `backup-${at}`,
            at,
            site: null,
            level: 2,
            summary: 'The scheduled backup failed.',
            detail,
          } as const
          await ledger.notes.putInfos([info]).catch(() => undefined)
          throw error
        }
      },
    },
  ]
}

const retrainTime = ({ retrainHour, retrainHours }: RetrainOptions, zone: string): Work['when'] =>
  retrainHours === 24
    ? { cron: `0 ${retrainHour} * * *`, zone }
    : { everyMs: Math.round(retrainHours * hourMs) }

const triggerOf = ({ name, event, enabled, when }: Work): Trigger => ({
  ...{ name, event, ...when },
  ...{ once: false, enabled, builtIn: true },
})

const functionOf = ({ name, event }: Work): EventFunction => ({
  ...{ name, events: [event], action: { kind: 'task', task: name }, lastError: '' },
})
