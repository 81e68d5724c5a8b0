import { repairSteps } from '../../ml/repair.ts'
import type { TaskInput } from '../domain.ts'

/**
 * The values without what a learner should not believe: spikes and stand-stills are missing, mistaken units scaled back;
 * and counts of that, in hours, beside what was counted on the way from the readings. Forecasts and learning both use
 * them, so that a model is asked about hours such as it has learnt from. Judged truths are the measured ones.
 */
export function repaired({ values, stepMs, repairs }: TaskInput): {
  readonly values: Float64Array
  readonly repairs: Readonly<Record<string, number>>
} {
  const { values: believed, counts, leftAlone } = repairSteps(values, stepMs)
  return {
    values: believed,
    repairs: {
      ...repairs,
      hours_spike: counts.spike,
      hours_stuck: counts.stuck,
      hours_unit_jump: counts.unit_jump,
      hours_short_gap: counts.gap,
      // suspects that were too many to be faults: nothing was repaired
      ...(leftAlone > 0 ? { hours_left_alone: leftAlone } : {}),
    },
  }
}
