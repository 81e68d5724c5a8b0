import { parseValue } from '../../core/reading.ts'

/**
 * How a column writes its numbers: the decimal sign, and whether the other of comma and point, an apostrophe or a space
 * may group three digits. `unclear` where the column holds numbers such as 1,100 and nothing tells which of both it is.
 */
export type NumberStyle = '.' | ',' | 'unclear'

/** Texts that say that there is no value. */
const absent = new Set([
  '',
  'nan',
  'na',
  'n/a',
  'null',
  'none',
  'nil',
  '-',
  '--',
  '?',
  'unknown',
  'unavailable',
])

/** Whether a cell says that there is no value. */
export const isAbsent = (cell: string): boolean => absent.has(cell.trim().toLowerCase())

/** 0x10 is a number to JavaScript, not to a sensor. */
const hasRadix = /^[+-]?0[box]/i
/** A space, a no-break space, a thin space, a narrow no-break space, or an apostrophe, in front of three digits. */
const grouping = /(?<=\d)[ \u00a0\u2009\u202f'\u2019](?=\d{3}(?!\d))/g
const commaGroups = /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/
const pointGroups = /^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$/
const commaDecimal = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i

/**
 * A number or a known state (on, open) as a number; null for an empty cell, undefined for anything else. A column whose
 * style is unclear is read with a decimal point; nothing is imported from it before its user has said more.
 */
export function parseCell(cell: string, style: NumberStyle): number | null | undefined {
  const code = cell.charCodeAt(0)
  // the common case: a digit or a minus first
  if (style !== ',' && ((code >= 48 && code <= 57) || code === 45)) {
    const number = Number(cell)
    if (Number.isFinite(number) && !hasRadix.test(cell)) return number
  }
  const text = cell.trim()
  if (absent.has(text.toLowerCase())) return null
  if (hasRadix.test(text)) return undefined
  return parseValue(plainNumber(text, style))
}

/** The number as JavaScript writes it; any other text is returned as it is. */
function plainNumber(given: string, style: NumberStyle): string {
  const text = given.replace(/^\u2212/, '-').replace(grouping, '')
  if (style === ',') {
    if (pointGroups.test(text)) return text.replaceAll('.', '').replace(',', '.')
    if (commaDecimal.test(text)) return text.replace(',', '.')
    // a decimal point in a column of decimal commas is no number of that column
    return /^[+-]?\d*\.\d/.test(text) ? '' : text
  }
  return commaGroups.test(text) ? text.replaceAll(',', '') : text
}

/** What a user can do about a column whose style is unclear. */
export function unclearNumbers(
  head: { readonly columns: readonly string[]; readonly sample: readonly (readonly string[])[] },
  index: number,
): string {
  const cells = head.sample.map((row) => (row[index] ?? '').trim())
  const shown = cells.find((cell) => signOf(cell.replace(/^[+-]/, '')) === 'either') ?? cells[0] ?? ''
  return (
    `the numbers of the column "${head.columns[index]}", such as ${shown.slice(0, 40)}, can be read with a decimal point and with ` +
    'a decimal comma; say which by --decimal . or --decimal ,'
  )
}

/** What the cells of one column show of its style. */
interface Evidence {
  readonly point: number
  readonly comma: number
  /** Numbers such as 1.100 and 1,100, which could be either. */
  readonly eitherPoint: number
  readonly eitherComma: number
}

/**
 * The style of each column, from its own cells first, then from the other columns of the file, then from the delimiter:
 * numbers with a point that stand between commas are decimal. `rows` are those of the sample.
 */
export function numberStyles(
  columns: number,
  rows: readonly (readonly string[])[],
  delimiter: string,
): NumberStyle[] {
  const found = Array.from({ length: columns }, (_, index) => evidenceOf(rows.map((row) => row[index] ?? '')))
  const own = found.map(({ point, comma }) => {
    if (comma === point) return comma > 0 ? 'unclear' : undefined
    return comma > point ? ',' : '.'
  })
  const comma = own.includes(',')
  const point = own.includes('.')
  const shared = comma === point ? undefined : comma ? ',' : '.'
  return own.map((style, index) => {
    if (style) return style
    const { eitherPoint, eitherComma } = found[index]!
    if (eitherPoint + eitherComma === 0) return shared ?? '.'
    if (shared) return shared
    return eitherComma === 0 && delimiter === ',' ? '.' : 'unclear'
  })
}

function evidenceOf(cells: readonly string[]): Evidence {
  let [point, comma, eitherPoint, eitherComma, whole, long, fixed] = [0, 0, 0, 0, 0, 0, 0]
  for (const cell of cells) {
    const text = cell
      .trim()
      .replace(/^[+\-\u2212]/, '')
      .replace(grouping, '')
    if (!/^[\d.,]+(e[+-]?\d+)?$/i.test(text)) continue
    const sign = signOf(text)
    if (sign === '.') point++
    else if (sign === ',') comma++
    else if (sign === 'either') {
      if (text.includes('.')) eitherPoint++
      else eitherComma++
      if (text.endsWith('0')) fixed++
    } else if (/^\d{4,}$/.test(text)) long++
    else if (text !== '0') whole++
  }
  // 950 beside 1,100: decimals that are written to the end (1,100) would be so in 950,000 too, hence these are groups
  const either = eitherPoint + eitherComma
  const isGrouped = whole > 0 && long === 0 && (fixed > 0 || either >= 10)
  if (point + comma === 0 && isGrouped && (eitherPoint === 0 || eitherComma === 0)) {
    if (eitherComma > 0) point++
    else comma++
  }
  // 1234 and 1,100 in one column: thousands are not grouped there
  if (point + comma === 0 && long > 0 && (eitherPoint === 0 || eitherComma === 0)) {
    if (eitherComma > 0) comma++
    else if (eitherPoint > 0) point++
  }
  return { point, comma, eitherPoint, eitherComma }
}

/** The decimal sign that a number proves: 987.5 a point, 1.234.567 a comma, 1,100 either, 5 none. */
function signOf(text: string): '.' | ',' | 'either' | undefined {
  const points = text.split('.').length - 1
  const commas = text.split(',').length - 1
  if (points > 0 && commas > 0) return text.lastIndexOf('.') > text.lastIndexOf(',') ? '.' : ','
  if (points > 1) return pointGroups.test(text) ? ',' : undefined
  if (commas > 1) return commaGroups.test(text) ? '.' : undefined
  if (points + commas === 0) return undefined
  // three digits behind, and in front one to three that do not begin with 0
  if (/^[1-9]\d{0,2}[.,]\d{3}$/.test(text)) return 'either'
  return points > 0 ? '.' : ','
}
