import { HomeostatError } from '../../core/errors.ts'
import type { GuessContext } from './guess-context.ts'
import type { ColumnFlag, Mapping, SkippedColumn, TimeSource, ValueColumn } from './mapping.ts'
import { meaningsOf, type SeriesMeaning } from './series-meaning.ts'
import type { Survey } from './survey.ts'

type Parts = Pick<Mapping, 'values' | 'events' | 'roles' | 'skipped' | 'series'>
type ValueFlag = Extract<ColumnFlag, { kind: 'value' }>

/** What a user calls a series of a surveyed file: the texts of its key columns. */
const labelOf = (texts: Readonly<Record<string, string>>): string =>
  Object.values(texts)
    .filter((text) => text !== '')
    .join(' ')

/**
 * One reading for each row of a surveyed file, as the name and the values of its series say or as `--column` does, which
 * names a series there. Undefined where the flags speak of columns, or nothing is known of any series of a file that
 * names no entities: such a file is read by its columns.
 */
export function seriesParts(context: GuessContext, survey: Survey, time: TimeSource): Parts | undefined {
  const { head, flags, columnFlags } = context
  const labels = new Map([...survey.series].map(([key, { texts }]) => [labelOf(texts), key]))
  const own: ValueFlag[] = []
  for (const flag of columnFlags) {
    if (flag.kind === 'role' || !labels.has(flag.column)) return undefined
    own.push(flag)
  }
  if (flags.format !== undefined) return undefined
  const { value, keys } = survey
  const style = head.styles[value] ?? '.'
  const found = meaningsOf(survey, style, time.kind === 'column' && time.direction === 'backward')
  const skipped: SkippedColumn[] = []
  const meanings: Record<string, SeriesMeaning> = {}
  for (const [label, key] of labels) {
    const meaning = found.get(key)!
    const flag = own.findLast(({ column }) => column === label)
    if (flag) meanings[key] = flaggedMeaning(context, flag, 'skip' in meaning ? undefined : meaning, label)
    else if (!('skip' in meaning)) meanings[key] = withDevice(context, meaning)
    else {
      const { skip, metric = 'METRIC', unit = 'UNIT' } = meaning
      const isText = skip.startsWith('text') || skip.startsWith('no value')
      const hint = isText ? {} : { flag: `--column "${label.replace(/["\\$`]/g, '\\$&')}=${metric}:${unit}"` }
      skipped.push({ index: value, name: label, why: skip, ...hint })
    }
  }
  const isKnown = Object.keys(meanings).length > 0
  if (!isKnown && !head.columns.some((name) => /^entity_id$/i.test(name)) && !head.annotated) return undefined
  const column: ValueColumn = {
    ...{ index: value, name: head.columns[value]!, device: { column: keys[0] ?? value } },
    ...{ metric: { fixed: 'by series' }, factor: 1, why: 'by series' },
  }
  const about = keys.map((index) => ({
    index,
    name: head.columns[index]!,
    role: 'series' as const,
    why: 'guessed',
  }))
  return { values: isKnown ? [column] : [], events: [], roles: about, skipped, series: { keys, meanings } }
}

const withDevice = ({ flags }: GuessContext, meaning: SeriesMeaning): SeriesMeaning =>
  flags.device === undefined ? meaning : { ...meaning, device: `${flags.device}_${meaning.device}` }

function flaggedMeaning(
  { head }: GuessContext,
  { metric, unit, device, factor }: ValueFlag,
  known: SeriesMeaning | undefined,
  label: string,
): SeriesMeaning {
  if (factor !== 1) {
    const detail = `--column "${label}=..." has a factor, which only a column can have; name the unit of the series instead`
    throw new HomeostatError('mapping_unclear', { file: head.path, detail })
  }
  const room = known?.room === undefined ? {} : { room: known.room }
  return { device: device ?? known?.device ?? label, metric, unit: unit ?? '', ...room, why: '--column' }
}
