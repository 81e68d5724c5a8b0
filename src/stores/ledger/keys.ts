import type { Alert, PointPrediction } from '../../core/event.ts'
import { forecastKeyId } from '../../core/forecast.ts'
import type { VersionKey } from '../../core/life.ts'
import { targetId } from '../../core/target.ts'

/** What makes two facts the same one, as text; ids hold no control characters, so U+001F parts them. */

export const siteAndId = ({ site, id }: { readonly site: string; readonly id: string }): string =>
  `${site}\u001f${id}`

export const alertId = (alert: Alert): string =>
  `${targetId(alert.target)}\u001f${alert.rule}\u001f${alert.since}`

export const predictionId = (row: PointPrediction): string =>
  `${forecastKeyId(row)}\u001f${row.at}\u001f${row.madeAt}\u001f${row.model.name}\u001f${row.model.version}`

export const versionId = ({ target, version }: VersionKey): string => `${targetId(target)}\u001f${version}`
