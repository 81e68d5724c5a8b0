/** Rows that sum a table up: Total, Sum, Average where the other rows hold their time. */

const words =
  'grand total|sub-?total|total[es]?|totaal|gesamt(?:summe|wert)?|summe|sum|som|somme|suma|average|avg|mean|mittel(?:wert)?|' +
  'durchschnitt|moyenne|moy|media|promedio|gemiddelde?|min(?:imum|imo|ima)?|max(?:imum|imo|ima)?|median|std(?:ev)?|count|anzahl|peak'
const summary = new RegExp(`^(?:${words})(?:[\\s.:(].*)?$`, 'i')

export const isSummaryWord = (cell: string): boolean => summary.test(cell.trim())

/** `times` are the columns that hold the times of the other rows. */
export function isSummaryRow(fields: readonly string[], times: readonly number[]): boolean {
  for (const index of times) {
    const cell = fields[index] ?? ''
    const code = cell.charCodeAt(0)
    // nearly every row: the cell begins with a digit
    if (code >= 48 && code <= 57) continue
    if (isSummaryWord(cell)) return true
    if (!/\d/.test(cell) && isSummaryWord(fields.find((text) => text.trim() !== '') ?? '')) return true
  }
  return false
}
