/** What is measured of targets that nothing could be derived of, so that they can be told why. */
import type { WindowStore } from '../../core/ports.ts'
import { isDerived } from '../../core/series.ts'
import type { Target } from '../../core/target.ts'
import type { Learning, MeasuredPace } from '../../domains/domain.ts'
import type { Learnable } from './target.ts'

/** Targets of these sites (null: all) and this subject that a domain would learn, by their measured series. */
export function measuredTargets(
  { windows, learnings }: { readonly windows: WindowStore; readonly learnings: readonly Learning[] },
  sites: readonly string[] | null,
  subject: string | undefined,
): Learnable[] {
  const found = new Map<string, Learnable>()
  for (const { site, device, metric } of windows.latest()) {
    if (
      isDerived(device) ||
      (sites && !sites.includes(site)) ||
      (subject !== undefined && device !== subject)
    )
      continue
    for (const learning of learnings) {
      const target: Target = { site, domain: learning.name, subject: device }
      const isMeasured = learning
        .measured(target)
        .some((one) => one.device === device && one.metric === metric)
      if (isMeasured) found.set(JSON.stringify(target), { learning, target })
    }
  }
  return [...found.values()]
}

/** How often the newest readings of each measured series of a target came. */
export function pacesOf(windows: WindowStore, { learning, target }: Learnable): MeasuredPace[] {
  return learning.measured(target).flatMap((series) => {
    const { at } = windows.get(series)
    if (at.length === 0) return []
    const distances = at
      .subarray(1)
      .map((time, index) => time - at[index]!)
      .sort()
    return [
      { metric: series.metric, readings: at.length, everyMs: distances[distances.length >> 1] ?? Number.NaN },
    ]
  })
}
