import { HomeostatError } from '../../core/errors.ts'
import { fieldOf, type GuessContext, type MappingFlags, type Role, type Roles } from './guess-context.ts'
import { headerParts, timesInHeader } from './guess-header.ts'
import { seriesParts } from './guess-series.ts'
import { checkZone, guessTime, sharedTimes } from './guess-time.ts'
import { gapsOf, wideParts } from './guess-wide.ts'
import type { FileHead } from './head.ts'
import { knownSets } from './known.ts'
import {
  columnIndex,
  type Field,
  type Mapping,
  parseColumnFlag,
  roleColumns,
  type TimeSource,
  type ValueColumn,
} from './mapping.ts'
import { unclearNumbers } from './numbers.ts'

/**
 * Decides what becomes of every column. A column is imported unasked only if both its metric and its unit are known.
 * The mapping may hold no value at all; every column then says why. Throws `column_unknown` or `mapping_unclear`.
 */
export function guessMapping(head: FileHead, flags: MappingFlags): Mapping {
  const columnFlags = (flags.column ?? []).map((text) => parseColumnFlag(head.path, text))
  const names = new Set(head.columns.map((name) => name.toLowerCase()))
  const known = knownSets.find((set) => set.signature.every((name) => names.has(name)))
  const context = { head, flags, columnFlags, known, device: flags.device ?? head.stem }
  checkZone(context)
  const table = timesInHeader(context)
  const time = table?.time ?? guessTime(context)
  const shared = table
    ? headerParts(context, table.cells, time)
    : head.survey && seriesParts(context, head.survey, time)
  const roles = shared ? timeRoles(context, time) : rolesOf(context, time)
  const format = shared ? (table ? 'wide' : 'long') : formatOf(context, roles)
  const site: Field | undefined = flags.site === undefined ? fieldOf(roles, 'site') : { fixed: flags.site }
  const parts = shared ?? (format === 'long' ? longParts(context, roles) : wideParts(context, roles, time))
  const unclear = parts.values.find(({ index }) => head.styles[index] === 'unclear')
  if (unclear) {
    const detail = unclearNumbers(head, unclear.index)
    throw new HomeostatError('mapping_unclear', { file: head.path, detail })
  }
  return {
    format,
    width: head.columns.length,
    styles: head.styles,
    time,
    ...(site ? { site } : {}),
    ...parts,
    ...(head.annotated ? { annotated: true as const } : {}),
    gaps: gapsOf(context),
    notes: [
      ...head.notes,
      ...(known ? [`Recognised: ${known.name}; units as its publisher documents.`] : []),
      ...(table ? [headerNote(time)] : []),
      ...(roles.device || format === 'long' ? [] : sharedTimes(context, time)),
    ],
  }
}

const headerNote = (time: TimeSource): string =>
  time.kind === 'header'
    ? 'The times stand in the header: each cell is the value at the time of its column.'
    : 'The clock times stand in the header: each cell is the value at the time of its column, on the day of its row.'

const roleNames: Readonly<Record<Exclude<Role, 'time' | 'clock'>, RegExp>> = {
  device:
    /^(device|device_id|device_name|sensor|sensor_id|sensor_name|entity_id|entity|meter_id|ger(ä|ae)t)$/,
  metric: /^(metric|measurement|quantity|phenomenon|sensor_type|messgr(ö|oe)(ß|ss)e)$/,
  value: /^(value|reading|state|wert|messwert)$/,
  unit: /^(unit|units|unit_of_measurement|einheit)$/,
  room: /^(room|room_id|location|raum|area)$/,
  site: /^(site|site_id|home|home_id|building|building_id|haus)$/,
}

function timeRoles({ flags }: GuessContext, time: TimeSource): Roles {
  const roles: Roles = {}
  if (time.kind === 'column') {
    roles.time = { index: time.index, why: flags.time === undefined ? 'guessed' : '--time' }
  }
  const clock = time.kind === 'column' ? (time.clock ?? time.hour?.index) : undefined
  if (clock !== undefined) roles.clock = { index: clock, why: 'holds the time of day' }
  return roles
}

function rolesOf(context: GuessContext, time: TimeSource): Roles {
  const { head, columnFlags, known } = context
  const roles = timeRoles(context, time)
  const taken = new Set(Object.values(roles).map(({ index }) => index))
  for (const flag of columnFlags) {
    const index = columnIndex(head.path, head.columns, flag.column)
    taken.add(index)
    if (flag.kind === 'role') roles[flag.role as Role] = { index, why: '--column' }
  }
  for (const [index, name] of head.columns.entries()) {
    if (taken.has(index)) continue
    // value_temperature is a value; only the bare word is a role
    const plain = name
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_')
    for (const [role, pattern] of Object.entries(roleNames) as [Exclude<Role, 'time' | 'clock'>, RegExp][]) {
      if (roles[role] || !pattern.test(plain)) continue
      roles[role] = { index, why: 'guessed' }
      break
    }
  }
  if (known?.device !== undefined && !roles.device) {
    roles.device = { index: columnIndex(head.path, head.columns, known.device), why: 'guessed' }
  }
  return roles
}

function formatOf(context: GuessContext, roles: Roles): 'long' | 'wide' {
  const { head, flags, known } = context
  if (flags.format === undefined) return !known && roles.metric && roles.value ? 'long' : 'wide'
  if (flags.format === 'wide') return 'wide'
  if (flags.format !== 'long') {
    const detail = `--format "${flags.format}" is neither long nor wide`
    throw new HomeostatError('mapping_unclear', { file: head.path, detail })
  }
  for (const role of ['metric', 'value'] as const) {
    if (roles[role]) continue
    const detail = `a long file needs a column for the ${role}; name it by --column "COL=@${role}" (there are ${head.columns.join(', ')})`
    throw new HomeostatError('mapping_unclear', { file: head.path, detail })
  }
  return 'long'
}

type Parts = Pick<Mapping, 'values' | 'events' | 'roles' | 'skipped'>

function longParts(context: GuessContext, roles: Roles): Parts {
  const { head } = context
  const { value, metric } = roles
  if (!value || !metric) throw new Error('a long mapping has a value and a metric')
  const unit = fieldOf(roles, 'unit')
  const room = fieldOf(roles, 'room')
  const column: ValueColumn = {
    index: value.index,
    name: head.columns[value.index]!,
    device:
      context.flags.device === undefined
        ? (fieldOf(roles, 'device') ?? { fixed: context.device })
        : { fixed: context.device },
    metric: { column: metric.index },
    ...(unit ? { unit } : {}),
    ...(room ? { room } : {}),
    factor: 1,
    why: unit ? 'guessed' : 'no unit column: the canonical unit of each metric',
  }
  const used = new Set([...Object.values(roles).map(({ index }) => index)])
  const skipped = head.columns.flatMap((name, index) =>
    used.has(index) ? [] : [{ index, name, why: 'not needed in a long file' }],
  )
  return { values: [column], events: [], roles: roleColumns(head.columns, roles), skipped }
}
