import type { Forecast } from '../../core/event.ts'
import { forecastEnd } from '../../core/forecast.ts'
import { hourMs } from '../../core/time.ts'

/** Of the old origins that are scored to their end, those of every sixth hour (UTC) are kept. */
export const keptHours = 6

/**
 * Whether a logged forecast is thinned out: its origin is older than `thinBefore` (UTC ms), it is not of every sixth
 * hour, and every step of it is scored. `scoredTo` undefined: nothing of its target is scored.
 */
export const isThinned = (
  forecast: Pick<Forecast, 'origin' | 'grid'>,
  scoredTo: number | undefined,
  thinBefore: number,
): boolean =>
  forecast.origin < thinBefore &&
  scoredTo !== undefined &&
  forecastEnd(forecast) <= scoredTo &&
  forecast.origin % (keptHours * hourMs) >= hourMs
