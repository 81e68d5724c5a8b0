/**
 * How people write units: SI prefixes whose case matters (mW is not MW), other letters in any case (kwh), and words
 * ("kilowatt hours", "Grad Celsius", "en kW").
 */

/** Powers of ten by SI prefix. */
const prefixes = { '': 1, u: 1e-6, µ: 1e-6, μ: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 } as const

/** `[spelling, scale]` of a unit with every SI prefix; `scale` is that of the unit without one. */
export const withPrefixes = (symbol: string, scale: number): [string, number][] =>
  Object.entries(prefixes).map(([prefix, factor]) => [
    `${prefix}${symbol}`,
    // 1 / (3.6e6 / 1e3) is closer to what is meant than 1e3 / 3.6e6
    scale < 1 && factor > 1 ? 1 / (1 / scale / factor) : scale * factor,
  ])

/**
 * What a text may mean among `spellings`: the one that is written alike; else those that differ in case only. An m or M
 * at the beginning keeps its case in a text with any capital letter; in a text without one it may be either.
 */
export function candidates<Unit>(spellings: ReadonlyMap<string, Unit>, text: string): Unit[] {
  const exact = spellings.get(text)
  if (exact !== undefined) return [exact]
  const lower = text.toLowerCase()
  const alike = [...spellings].filter(([spelling]) => spelling.toLowerCase() === lower)
  const keepsPrefix = text !== lower ? alike.filter(([spelling]) => spelling[0] === text[0]) : []
  const isPrefix = text[0] === 'm' || text[0] === 'M'
  return (isPrefix && keepsPrefix.length > 0 ? keepsPrefix : alike).map(([, unit]) => unit)
}

const prefixWords: Readonly<Record<string, string>> = {
  micro: 'u',
  mikro: 'u',
  milli: 'm',
  mili: 'm',
  kilo: 'k',
  quilo: 'k',
  mega: 'M',
  giga: 'G',
}

/** Names of units in the languages of Europe, without accents, in the singular. */
const unitWords: Readonly<Record<string, string>> = {
  watt: 'W',
  watio: 'W',
  vatio: 'W',
  joule: 'J',
  julio: 'J',
  volt: 'V',
  voltio: 'V',
  ampere: 'A',
  amperio: 'A',
  amp: 'A',
  pascal: 'Pa',
  bar: 'bar',
  lux: 'lx',
  voltampere: 'VA',
  celsius: 'degC',
  celcius: 'degC',
  centigrade: 'degC',
  fahrenheit: 'degF',
  kelvin: 'K',
  percent: '%',
  prozent: '%',
  pourcent: '%',
  porciento: '%',
  porcento: '%',
  procent: '%',
  decibel: 'dB',
}

const namesOf = (words: Readonly<Record<string, string>>): string =>
  Object.keys(words)
    .sort((a, b) => b.length - a.length)
    .join('|')

const inWords = new RegExp(
  `^(${namesOf(prefixWords)}|[km](?=watt))?(${namesOf(unitWords)})(?:s|es|en)?` +
    '(h|hrs?|hours?|stunden?|heures?|horas?|ora|ore|uur|uren|timm?ar|timer?)?$',
)

/** Words before a unit that tell nothing: "en kW", "Einheit: kW". */
const fillers = /^(?:in|en|em|im|unit|units|einheit|unite|unidad)\b[\s:]*/i
const degreeWords =
  /^(?:[°º]|(?:degrees?|deg|grade?|grados?|graus?|degres?|gradi|graden|grader)(?![a-z]))\s*(?=\S)/

/**
 * Other spellings to look for, in this order: without brackets and words before it, and as a symbol where the text
 * names the unit in words. The case of a symbol in it is kept.
 */
export function symbolsOf(text: string): string[] {
  const bare = text
    .trim()
    .replace(/^[[(]\s*(.*?)\s*[\])]$/, '$1')
    .replace(fillers, '')
    .trim()
  const words = bare
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s._/-]+/g, ' ')
    .trim()
  const plain = words.replace(degreeWords, '').replace(/ /g, '')
  const found = inWords.exec(plain)
  if (!found) return degreeWords.test(words) && /^[cfk]$/.test(plain) ? [bare, degreeSymbols[plain]!] : [bare]
  const [, prefix = '', name = '', hours] = found
  // a joule hour is no unit that anybody sends
  if (hours !== undefined && !/^(?:watt|vatio|watio|voltampere)$/.test(name)) return [bare]
  const symbol = unitWords[name]!
  const factor = prefixWords[prefix] ?? prefix
  return [bare, `${factor}${symbol}${hours === undefined ? '' : 'h'}`]
}

const degreeSymbols: Readonly<Record<string, string>> = { c: 'degC', f: 'degF', k: 'K' }
