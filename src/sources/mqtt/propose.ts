import { idLimits, parseValue } from '../../core/reading.ts'
import type { TopicMapping } from '../../core/topics.ts'
import { canonicalUnit } from '../../core/units.ts'
import { readName } from '../csv/names.ts'
import { isObject, leafPaths, parsePayload, pick } from './payload.ts'

/** Levels that name the kind of message and not its device. */
const plainLevels =
  /^(state|status|sensor|sensors|data|value|values|telemetry|tele|stat|get|out|up|uplink|event|events|json|attributes|message|messages|home|house)$/i

/** Keys under which messages have their time. */
const timeKeys = ['timestamp', 'time', 'ts', 'at', 'datetime', 'date', 'Time', 'last_seen', 'received_at']

const metricsMax = 50

/**
 * A first mapping for a topic, from its levels and one payload: which device, which metric, which unit. A person looks at
 * it before it is used, so it may guess.
 */
export function proposeMapping(topic: string, payload: string): TopicMapping {
  const parsed = parsePayload(payload)
  if ('value' in parsed && isObject(parsed.value)) return proposeObject(topic, parsed.value)
  const levels = topic.split('/')
  const last = levels.at(-1) ?? topic
  const nameIndex = plainLevels.test(last) && levels.length > 1 ? levels.length - 2 : levels.length - 1
  const { metric, unit } = quantityOf(levels[nameIndex] ?? last, payload)
  const device = deviceOf(levels.slice(0, nameIndex)) ?? deviceOf(levels) ?? last
  return { topic, payload: 'number', defaults: { device, metric, ...(unit === undefined ? {} : { unit }) } }
}

function proposeObject(topic: string, message: object): TopicMapping {
  const levels = topic.split('/')
  const device = deviceOf(levels) ?? topic
  const at = timeKeys.find((key) => Object.hasOwn(message, key))
  const numbers = leafPaths(message).filter((path) => path !== at && isMeasured(pick(message, path)))
  const metrics = Object.fromEntries(
    numbers.slice(0, metricsMax).map((path) => {
      const { metric, unit } = quantityOf(path.split('.').at(-1) ?? path, String(pick(message, path)))
      return [path, { metric, ...(unit === undefined ? {} : { unit }) }]
    }),
  )
  return {
    ...{ topic, payload: 'json', metrics: distinct(metrics), defaults: { device } },
    ...(at === undefined || at === 'at' ? {} : { fields: { at } }),
  }
}

/** Two fields of one metric would overwrite each other: the second is named by its path. */
function distinct(
  metrics: Readonly<Record<string, { readonly metric: string; readonly unit?: string }>>,
): NonNullable<TopicMapping['metrics']> {
  const taken = new Set<string>()
  return Object.fromEntries(
    Object.entries(metrics).map(([path, quantity]) => {
      const metric = taken.has(quantity.metric) ? idOf(path.replaceAll('.', '_')) : quantity.metric
      taken.add(metric)
      return [path, { ...quantity, metric }]
    }),
  )
}

const isMeasured = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && parseValue(value) !== undefined)

/** The last level that may be a name. */
function deviceOf(levels: readonly string[]): string | undefined {
  const named = levels.filter((level) => level !== '' && !plainLevels.test(level))
  return named.at(-1)?.slice(0, idLimits.device)
}

/** Words of a counter that only rises. */
const countedWords = /total|counter|meter|import|export|lifetime/i

function quantityOf(name: string, value: string): { readonly metric: string; readonly unit?: string } {
  const number = Number(value)
  const found = readName(name, Number.isFinite(number) ? [number] : [])
  const isCounter = found.metric === 'energy' && countedWords.test(name)
  const metric = isCounter ? 'energy_total' : (found.metric ?? idOf(name))
  // without a unit the canonical one would be used: it is shown, so that a wrong one is seen
  const unit = found.unit ?? canonicalUnit(metric)
  return { metric, ...(unit === undefined ? {} : { unit }) }
}

const idOf = (name: string): string => name.slice(0, idLimits.metric) || 'value'
