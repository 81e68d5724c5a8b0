import { isAnnotated } from './annotated.ts'
import { epochLike, kindOf, mostCommon } from './table-start.ts'

const delimiters = [';', '\t', '|', ','] as const
/** Lines that are looked at: the first one, and the last ones, which are rows of the table. */
const linesMax = 60

/**
 * The delimiter that cuts most lines into rows with a time and a number, whatever stands above the table; of equals the
 * one that cuts the lines most evenly, then the one that cuts into more fields.
 */
export function guessDelimiter(text: string): string {
  // a quoted text may hold delimiters and go over several lines
  const all = text
    .replace(quotedText, (quoted) => quoted.slice(1, -1).replace(/[;,\t|\n]/g, ' '))
    .split('\n')
    .filter((line) => line.trim() !== '' && !isRemark(line))
  if (all.length > 2) all.pop()
  const lines = all.length > linesMax + 1 ? [all[0]!, ...all.slice(-linesMax)] : all
  let best = { delimiter: ',', rows: 0, share: 0, fields: 1 }
  for (const delimiter of delimiters) {
    const split = lines.map((line) => line.split(delimiter))
    const counts = split.map((fields) => fields.length)
    const fields = mostCommon(counts.slice(1)) ?? counts[0] ?? 1
    const rows = split.filter(isRow).length
    if (fields < 2 && rows === 0) continue
    const even = counts.filter((count, index) => count === fields || (index === 0 && count === fields - 1))
    const share = even.length / counts.length
    // one field in the header and two below is decimal commas, not a header that is one name short
    if (delimiter === ',' && counts[0] === 1 && fields === 2) continue
    if ((rows - best.rows || share - best.share || fields - best.fields) > 0)
      best = { delimiter, rows, share, fields }
  }
  return best.delimiter
}

const quotedText = /"[^"]{0,500}"/g

/** Annotations of InfluxDB begin with the same sign, and are cut like the rows below. */
const isRemark = (line: string): boolean => line.startsWith('#') && !isAnnotated(line)

function isRow(fields: readonly string[]): boolean {
  const kinds = fields.map((cell) => (epochLike.test(cell.trim()) ? 'time' : kindOf(cell)))
  return kinds.includes('time') && kinds.includes('number')
}
