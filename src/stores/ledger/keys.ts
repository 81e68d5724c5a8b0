import type { Alert, Prediction } from '../../core/event.ts'
import type { VersionKey } from '../../core/life.ts'
import { seriesId } from '../../core/series.ts'
import { targetId } from '../../core/target.ts'

/** What makes two facts the same one, as text; ids hold no control characters, so U+001F parts them. */

export const siteAndId = ({ site, id }: { readonly site: string; readonly id: string }): string =>
  `${site}\u001f${id}`

export const alertId = (alert: Alert): string =>
  `${targetId(alert.target)}\u001f${alert.rule}\u001f${alert.since}`

export const predictionId = (row: Prediction): string =>
  `${seriesId(row)}\u001f${row.at}\u001f${row.madeAt}\u001f${row.model.name}\u001f${row.model.version}`

export const versionId = ({ series, version }: VersionKey): string => `${seriesId(series)}\u001f${version}`
