import type { ReadingPart } from '../../core/topics.ts'

/** Parts of a reading that the levels of a topic give. */
export type TopicParts = Partial<Record<ReadingPart, string>>

const placeholders: readonly string[] = ['{site}', '{room}', '{device}', '{metric}']

/** What is wrong with a topic that is no filter with placeholders. */
export function patternFault(topic: string): string | undefined {
  const levels = topic.split('/')
  const wrong = levels.find((level, index) => {
    if (level === '#') return index < levels.length - 1
    return /[#+{}]/.test(level) && level !== '+' && !placeholders.includes(level)
  })
  if (wrong === undefined) return undefined
  return `in the topic "${topic}", "${wrong}" is none of a name, +, a closing # and ${placeholders.join(', ')}`
}

/** The MQTT filter of a pattern. */
export const filterOf = (levels: readonly string[]): string =>
  levels.map((level) => (level.startsWith('{') ? '+' : level)).join('/')

/** The filters that no other one of them covers: brokers deliver once for each that fits. */
export function withoutCovered(all: Iterable<string>): string[] {
  const filters = [...new Set(all)].map((filter) => filter.split('/'))
  // only filters with wildcards cover others: thousands of plain topics need not be compared with each other
  const wide = filters.filter((levels) => levels.some((level) => level === '#' || level === '+'))
  return filters
    .filter((filter) => !wide.some((other) => other !== filter && covers(other, filter)))
    .map((levels) => levels.join('/'))
}

/** Whether all topics of the filter `narrow` are also topics of `wide`. */
export function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  // a wildcard in front leaves out topics of the broker itself (MQTT 3.1.1, section 4.7.2)
  if (/^[#+]$/.test(wide[0] ?? '') && narrow[0]?.startsWith('$')) return false
  for (const [index, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[index]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return wide.length === narrow.length
}

/** What the levels of a topic stand for in the pattern; undefined: it does not fit. */
export function match(pattern: readonly string[], levels: readonly string[]): TopicParts | undefined {
  const parts: TopicParts = {}
  for (const [index, level] of pattern.entries()) {
    if (level === '#') return parts
    const got = levels[index]
    if (got === undefined) return undefined
    const name = /^\{(\w+)\}$/.exec(level)?.[1]
    if (name) parts[name as ReadingPart] = got
    else if (level !== '+' && level !== got) return undefined
  }
  return pattern.length === levels.length ? parts : undefined
}
