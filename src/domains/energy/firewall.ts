import { repairSteps } from '../../ml/repair.ts'
import type { TaskInput } from '../domain.ts'

/**
 * The same input without what a learner should not believe: spikes and stand-stills are missing, mistaken units scaled
 * back. What was done is counted, in hours, beside what was counted on the way from the readings. Forecasts and
 * learning both come through here, so that a model is asked about hours such as it has learnt from.
 */
export function guarded<Input extends TaskInput>(input: Input): Input {
  const { values, counts, leftAlone } = repairSteps(input.values, input.stepMs)
  const repairs = {
    ...input.repairs,
    hours_spike: counts.spike,
    hours_stuck: counts.stuck,
    hours_unit_jump: counts.unit_jump,
    hours_short_gap: counts.gap,
    // suspects that were too many to be faults: nothing was repaired
    ...(leftAlone > 0 ? { hours_left_alone: leftAlone } : {}),
  }
  return { ...input, values, repairs }
}
