/** Texts with which meters, portals and programs say that there is no value, as `keyOf` writes them. */
const unknownWords = new Set(
  (
    ' nan na n/a nd n/d nv null nil none undefined unknown unavailable missing notavailable notset noct nodata novalue ' +
    'noreading nosensor nosignal nomeasurement ka k/a s/d keinedaten keinwert keinemessung fehlt unbekannt ' +
    'nichtverfugbar manquant inconnu nondisponible indisponible sansvaleur sindatos sinvalor desconocido nodisponible ' +
    'mancante sconosciuto nondisponibile nessunvalore geendata onbekend'
  ).split(' '),
)

/** Words that say so beside numbers; in a column of words they are states. */
const faultWords = new Set(
  (
    'absent blank empty leer vide vacio error err fault faulty fehler erreur errore invalid invalide ungultig offline ' +
    'disconnected notconnected timeout commerror commserror commfail commsfail notresponding bad stale'
  ).split(' '),
)

/** Rows of dashes and the like, and the errors of spreadsheets. */
const marks = /^(?:[-\u2010-\u2015\u2212*?_#]+|#(?:n\/?a|nv|div\/0!|\p{L}+[!?]))$/u

/** Without what spellings differ in: case, accents, blanks, points, brackets and quotes around. */
const keyOf = (cell: string): string =>
  cell
    .trim()
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\p{M}\s._]|^[<([{"']+|[>)\]}"']+$/gu, '')

/** Whether a cell says that there is no value. */
export function isAbsent(cell: string): boolean {
  if (cell === '') return true
  const key = keyOf(cell)
  return unknownWords.has(key) || marks.test(key)
}

/** Whether a cell of a column of numbers says that there is none, be it because of a fault. */
export const isNoNumber = (cell: string): boolean => isAbsent(cell) || faultWords.has(keyOf(cell))
