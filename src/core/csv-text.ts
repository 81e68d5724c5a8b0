/**
 * Text of CSV cells (RFC 4180), safe to open in a spreadsheet: there a text that begins with = + - or @ would run as a
 * formula. Such texts get an apostrophe in front (OWASP, CSV injection); an import takes it off again.
 */

const formula = /^'*[=+\-@\t\r]/
const guardedText = /^'+[=+\-@\t\r]/

/** A text that no spreadsheet runs. */
export const guardCell = (text: string): string => (formula.test(text) ? `'${text}` : text)

/** The text that `guardCell` was given. */
export const unguardCell = (text: string): string => (guardedText.test(text) ? text.slice(1) : text)

/** The text in quotes where it needs them. */
export const quoteCell = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

/** `time`: UTC ms, written as ISO 8601 in UTC. */
interface Column {
  readonly name: string
  readonly kind: 'time' | 'text' | 'number' | 'boolean'
}

/** The line of the header. */
export const csvHeader = (columns: readonly Column[]): string =>
  `${columns.map(({ name }) => quoteCell(name)).join(',')}\n`

/**
 * One line; null and undefined are empty cells, and numbers read back equal. Texts are guarded unless `guarded` is
 * false, for a reader that takes them as they are.
 */
export function csvRow(
  columns: readonly Column[],
  row: readonly (string | number | boolean | null | undefined)[],
  guarded = true,
): string {
  let line = ''
  for (const [index, cell] of row.entries()) {
    if (index > 0) line += ','
    if (cell === null || cell === undefined) continue
    if (typeof cell === 'string') line += quoteCell(guarded ? guardCell(cell) : cell)
    else if (columns[index]?.kind === 'time') line += new Date(Number(cell)).toISOString()
    else line += String(cell)
  }
  return `${line}\n`
}
