/** Dates with the name of a month (14-Jul-2024, Jul 14, 2024, 14. Juli 2024), brought into the form of ISO 8601. */

const locales = ['en', 'de', 'fr', 'it', 'es', 'nl', 'pt'] as const
/** What `Intl` does not list: Mrz is what German spreadsheets write. */
const furtherMonths: readonly (readonly [string, number])[] = [['mrz', 3]]

/** Letters of an abbreviation at least. */
const monthLettersMin = 3
const dayLettersMin = 2

/** Lower case, without accents and points. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\p{M}.]/gu, '')

/** Every beginning of every name that belongs to one number only, in whatever language. */
function beginnings(names: readonly (readonly [string, number])[], lettersMin: number): Map<string, number> {
  const found = new Map<string, number | undefined>()
  for (const [name, number] of names)
    for (let end = lettersMin; end <= name.length; end++) {
      const text = name.slice(0, end)
      found.set(text, found.has(text) && found.get(text) !== number ? undefined : number)
    }
  return new Map(
    [...found].flatMap(([text, number]) => (number === undefined ? [] : [[text, number] as const])),
  )
}

/** Names of the seven days or twelve months that begin with 2024-01-01, a Monday. */
function namesOf(count: number, options: Intl.DateTimeFormatOptions): [string, number][] {
  const isMonth = 'month' in options
  return locales.flatMap((locale) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
    return Array.from({ length: count }, (_, nth): [string, number] => {
      const at = isMonth ? Date.UTC(2024, nth, 15) : Date.UTC(2024, 0, nth + 1)
      return [plain(format.format(at)), nth + 1]
    })
  })
}

let known:
  | { readonly months: ReadonlyMap<string, number>; readonly days: ReadonlyMap<string, number> }
  | undefined

function knownNames(): NonNullable<typeof known> {
  known ??= {
    months: beginnings(
      [...namesOf(12, { month: 'long' }), ...namesOf(12, { month: 'short' }), ...furtherMonths],
      monthLettersMin,
    ),
    days: beginnings(
      [...namesOf(7, { weekday: 'long' }), ...namesOf(7, { weekday: 'short' })],
      dayLettersMin,
    ),
  }
  return known
}

const between = String.raw`(?:[\s./,_-]+|\s+(?:de|del|di|of|van)\s+)`
const month = String.raw`(\p{L}{3,12})\.?`
const day = String.raw`(\d{1,2})(?:\.|st|nd|rd|th|er|\u00ba)?`
const rest = String.raw`(?:(?:[\sT,:]+(?:at|um|à|a las|alle|om|-|kl\.?)?\s*)(\d{1,2}[:.h]\d{2}.*))?`
const dayFirst = new RegExp(`^${day}${between}?${month}${between}?(\\d{4}|\\d{2})${rest}$`, 'iu')
const monthFirst = new RegExp(`^${month}${between}?${day}${between}(\\d{4})${rest}$`, 'iu')
const yearFirst = new RegExp(`^(\\d{4})${between}?${month}${between}?${day}${rest}$`, 'iu')
/** Sun Jul 14 13:05:00 2024, as C and its heirs write it. */
const yearLast = new RegExp(`^${month}\\s+${day}\\s+(\\d{1,2}:\\d{2}(?::\\d{2})?)\\s+(\\d{4})$`, 'iu')
const weekday = /^(\p{L}{2,12})\.?,?\s+/u

/** The date with the number of its month, year first, and the clock behind it. Undefined for any other text. */
export function withMonthNumber(given: string): string | undefined {
  if (given.length > 80 || !/\p{L}{3}/u.test(given) || !/\d/.test(given)) return undefined
  const text = given.trim()
  const own = dated(text)
  if (own !== undefined) return own
  const first = weekday.exec(text)
  return first && knownNames().days.has(plain(first[1]!)) ? dated(text.slice(first[0].length)) : undefined
}

function dated(text: string): string | undefined {
  const forms: [RegExp, year: number, month: number, day: number, clock: number][] = [
    [dayFirst, 3, 2, 1, 4],
    [monthFirst, 3, 1, 2, 4],
    [yearFirst, 1, 2, 3, 4],
    [yearLast, 4, 1, 2, 3],
  ]
  for (const [form, ...[year, name, date, clock]] of forms) {
    const match = form.exec(text)
    const number = match && knownNames().months.get(plain(match[name]!))
    if (!match || number === undefined) continue
    const full = match[year]!.length === 2 ? `20${match[year]}` : match[year]
    const iso = `${full}-${number}-${match[date]}`
    return match[clock] === undefined ? iso : `${iso} ${clockOf(match[clock])}`
  }
  return undefined
}

/** 13h05, 13.05 Uhr and 1.05.00 PM are written with colons; "GMT+0200 (CEST)" is +0200. */
const clockOf = (text: string): string =>
  text
    .replace(/^(\d{1,2})[h.](\d{2})\b/, '$1:$2')
    .replace(/^(\d{1,2}:\d{2})\.(\d{2})\b/, '$1:$2')
    .replace(/\s*(?:Uhr|h|hrs?)\.?$/i, '')
    .replace(/\s*\([^)]*\)$/, '')
    .replace(/\s*(?:GMT|UTC)(?=[+-]\d)/i, '')
    .replace(/[\u202f\u00a0]/g, ' ')
    .trim()
