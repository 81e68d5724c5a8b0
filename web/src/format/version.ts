import { timeText } from './time.ts'

const name = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/
const named = new RegExp(String.raw`\b(by |when |than |from )?(${name.source})\b`, 'g')

/** A version as the moment that it is named after: 20260406T002412Z -> 6 Apr 2026, 02:24 in Berlin. Else its own name. */
export function versionText(version: string, zone: string): string {
  const parts = name.exec(version)
  if (parts === null || parts[0] !== version) return version
  const [, year, month, day, hour, minute, second] = parts.map(Number)
  if ([year, month, day, hour, minute, second].includes(undefined)) return version
  return timeText(Date.UTC(year!, month! - 1, day, hour, minute, second), zone, 'full')
}

/** A sentence of the hub, the versions in it told by their moments. */
export const withVersions = (sentence: string, zone: string): string =>
  sentence.replaceAll(named, (_, before: string | undefined, version: string) => {
    const moment = versionText(version, zone)
    return before ? `${before}the version of ${moment}` : moment
  })
