/** Rows that sum a table up: Total, Sum, Average where the other rows hold their time. */

const words =
  'grand total|sub-?total|total[es]?|totaal|gesamt(?:summe|wert)?|summe|sum|som|somme|suma|average|avg|mean|mittel(?:wert)?|' +
  'durchschnitt|moyenne|moy|media|promedio|gemiddelde?|min(?:imum|imo|ima)?|max(?:imum|imo|ima)?|median|std(?:ev)?|count|anzahl|peak'
const summary = new RegExp(`^(?:${words})(?:[\\s.:(].*)?$`, 'i')

export const isSummaryWord = (cell: string): boolean => summary.test(cell.trim())

/** `times` are the columns that hold the times of the other rows. */
export function isSummaryRow(fields: readonly string[], times: readonly number[]): boolean {
  const first = fields.find((cell) => cell.trim() !== '') ?? ''
  return times.some((index) => {
    const cell = (fields[index] ?? '').trim()
    return isSummaryWord(cell) || (!/\d/.test(cell) && isSummaryWord(first))
  })
}
