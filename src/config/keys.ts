import { distance } from 'fastest-levenshtein'
import { z } from 'zod'

/** The part of JSON Schema that zod writes for the configuration. */
export interface KeyNode {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly anyOf?: readonly KeyNode[]
  readonly properties?: Readonly<Record<string, KeyNode>>
  readonly items?: KeyNode
  readonly additionalProperties?: KeyNode | false
  readonly secret?: boolean
  /** An older name, which is understood but not shown. */
  readonly deprecated?: boolean
  /** Of a list: what may stand in it. */
  readonly examples?: readonly unknown[]
}

/** A key that holds a value, e.g. `mqtt.port`; the keys of list items are written `rules[].metric`. */
export interface Key {
  readonly name: string
  readonly node: KeyNode
}

function* walk(node: KeyNode, name: string): Generator<Key> {
  if (name !== '') yield { name, node }
  const prefix = name === '' ? '' : `${name}.`
  for (const [part, child] of Object.entries(node.properties ?? {})) yield* walk(child, prefix + part)
  if (node.items) yield* walkItems(node.items, `${name}[]`)
}

function* walkItems(node: KeyNode, name: string): Generator<Key> {
  for (const [part, child] of Object.entries(node.properties ?? {})) yield* walk(child, `${name}.${part}`)
}

/** The keys of a configuration schema, the one source of names, documents and hints. */
export class ConfigKeys {
  /** The whole configuration as JSON Schema. */
  readonly root: KeyNode
  /** Every name that may occur, list items included. */
  readonly names: readonly string[]
  /** Keys that can be set one by one, from a flag or the environment: all but sections and the insides of lists. */
  readonly settable: readonly Key[]

  constructor(schema: z.ZodType) {
    this.root = z.toJSONSchema(schema, { io: 'input' }) as KeyNode
    const keys = [...walk(this.root, '')]
    this.names = keys.map(({ name }) => name)
    this.settable = keys.filter(({ name, node }) => !name.includes('[]') && node.properties === undefined)
  }

  /** The node at a path of keys and list indices; undefined where the configuration has none. */
  at(path: readonly PropertyKey[]): KeyNode | undefined {
    let node: KeyNode | undefined = this.root
    for (const part of path) {
      if (typeof part === 'number') node = node?.items
      else node = node?.properties?.[String(part)] ?? (node?.additionalProperties || undefined)
    }
    return node
  }
}

/** A path as people write it: `rules[0].metric`. */
export const nameOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')

/** What a value must be, to stand behind "it must be". */
export function expectation(node: KeyNode): string {
  if (node.anyOf) return node.anyOf.map(expectation).join(' or ')
  if (node.const !== undefined) return String(node.const)
  if (node.enum) return `one of ${node.enum.join(', ')}`
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? [])
  return types.map((type) => typeNames[type]?.(node) ?? type).join(' or ')
}

const typeNames: Readonly<Record<string, (node: KeyNode) => string>> = {
  boolean: () => 'true or false',
  integer: (node) => `a whole number${range(node)}`,
  number: (node) => `a number${range(node)}`,
  string: (node) => (node.maxLength === undefined ? 'text' : `text of 1 to ${node.maxLength} characters`),
  array: () => 'a list',
  object: () => 'a section of keys',
}

function range({ minimum, maximum }: KeyNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  return ''
}

/**
 * The known name that was probably meant, by Levenshtein distance without regard to case; a right key in the wrong
 * section counts as one slip. Undefined where none is near.
 */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const wanted = plain(unknown)
  const slipsMax = Math.max(2, Math.floor(lastPart(wanted).length / 3))
  let best: { readonly name: string; readonly slips: number } | undefined
  for (const name of known) {
    const slips = Math.min(
      distance(wanted, plain(name)),
      distance(lastPart(wanted), lastPart(plain(name))) + 1,
    )
    if (slips <= slipsMax && (best === undefined || slips < best.slips)) best = { name, slips }
  }
  return best?.name
}

const plain = (name: string): string => name.replace(/\[\d*\]/g, '[]').toLowerCase()
const lastPart = (name: string): string => name.split('.').at(-1) ?? ''
