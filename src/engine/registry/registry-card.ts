import type { Card } from '../../core/event.ts'
import { isOldCard, upgradeCard } from '../../core/old-card.ts'

/** The reason why something is not what it should be; the registry says of which model. */
export class Unfit extends Error {}

type Check = (value: unknown, where: string) => void

/**
 * Reads a card of a model, also of the form before targets; throws Unfit with the field that is wrong. Unknown fields
 * of a later hub pass.
 */
export function parseCard(text: string): Card {
  const card = asObject(parseJson(text, 'card.json'), 'card.json')
  if (isOldCard(card)) checkOldCard(card, 'card.json')
  const upgraded = upgradeCard(card)
  checkCard(upgraded, 'card.json')
  return upgraded
}

/** Throws Unfit where the text is no JSON: NaN and Infinity are none. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Unfit(`${file} is not JSON; it may be cut short or damaged`)
  }
}

const text: Check = (value, where) => {
  if (typeof value !== 'string' || value === '') throw new Unfit(`${where} should be text`)
}

/** JSON knows neither NaN nor infinity: they are written as null, and so found here. */
const number: Check = (value, where) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Unfit(`${where} should be a number`)
}

const oneOf =
  (...words: readonly string[]): Check =>
  (value, where) => {
    if (!words.includes(String(value))) throw new Unfit(`${where} should be one of ${words.join(', ')}`)
  }

const list =
  (item: Check): Check =>
  (value, where) => {
    if (!Array.isArray(value)) throw new Unfit(`${where} should be a list`)
    for (const [index, one] of value.entries()) item(one, `${where}[${index}]`)
  }

const byName =
  (item: Check): Check =>
  (value, where) => {
    for (const [name, one] of Object.entries(asObject(value, where))) item(one, `${where}.${name}`)
  }

const optional =
  (item: Check): Check =>
  (value, where) => {
    if (value !== undefined) item(value, where)
  }

const fields =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value, where) => {
    const object = asObject(value, where)
    for (const [name, check] of Object.entries(shape)) check(object[name], `${where}: ${name}`)
  }

function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new Unfit(`${where} should be an object`)
}

export const checkTarget = fields({ site: text, domain: text, subject: text })
export const checkSeries = fields({ site: text, device: text, metric: text })
export const checkSpan = fields({ from: number, to: number, steps: number })
export const check = { text, number, fields }

/** What `upgradeCard` reads. */
const checkOldCard = fields({
  series: checkSeries,
  verdict: fields({
    standing: text,
    reason: text,
    duels: byName(fields({ origins: number, gain: number, p: number })),
  }),
})

const checkCard = fields({
  target: checkTarget,
  metric: text,
  model: fields({ name: text, version: text, kind: oneOf('learned', 'naive') }),
  trainedAt: number,
  span: checkSpan,
  features: list(text),
  folds: number,
  scoredSteps: number,
  unit: text,
  scores: byName(byName(number)),
  decidedBy: text,
  coverage: optional(fields({ level: number, measured: number, steps: number })),
  verdict: fields({
    status: oneOf('live', 'challenger', 'rejected'),
    reason: text,
    comparisons: byName(fields({ days: number, gain: number, p: number })),
  }),
  residualDeciles: list(number),
  repairs: byName(number),
})
