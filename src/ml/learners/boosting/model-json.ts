import { HomeostatError } from '../../../core/errors.ts'
import { binSpan } from './binning.ts'
import type { EnsembleParts } from './ensemble.ts'
import { bySet, type FlatTrees, missingRight } from './flat-trees.ts'

const format = 'homeostat-trees'
const version = 1

/**
 * The shape of a model in JSON. Trees lie one after the other, each breadth first, so that the children of the k-th
 * split of a tree are its nodes 2k+1 and 2k+2, and need not be written down. A threshold of infinity is null.
 */
interface TreesJson {
  readonly format: typeof format
  readonly version: typeof version
  readonly loss: string
  readonly names: readonly string[]
  readonly categories: Readonly<Record<string, readonly number[]>>
  readonly start: readonly number[]
  readonly gain: readonly number[]
  /** Nodes of each tree. */
  readonly sizes: readonly number[]
  readonly feature: readonly number[]
  readonly value: readonly (number | null)[]
  readonly cover: readonly number[]
  /** Nodes where missing values go right. */
  readonly missingRight: readonly number[]
  /** Of each split by category: bins that go left. */
  readonly sets: readonly (readonly number[])[]
}

export function modelToJson(parts: EnsembleParts): TreesJson {
  const { loss, names, categories, start, trees, gain } = parts
  const sizes = Array.from(trees.roots, (root, t) => (trees.roots[t + 1] ?? trees.feature.length) - root)
  const codes = Array.from(categories, ([position, list]) => [names[position], Array.from(list)] as const)
  const sets: number[][] = []
  for (let first = 0; first < trees.sets.length; first += binSpan) {
    sets.push(Array.from({ length: binSpan }, (_, bin) => bin).filter((bin) => trees.sets[first + bin] === 1))
  }
  return {
    format,
    version,
    loss,
    names: [...names],
    categories: Object.fromEntries(codes),
    start: Array.from(start),
    gain: Array.from(gain),
    sizes,
    feature: Array.from(trees.feature),
    value: Array.from(trees.value, (value) => (Number.isFinite(value) ? value : null)),
    cover: Array.from(trees.cover),
    missingRight: Array.from(trees.flags.keys()).filter((node) => (trees.flags[node]! & missingRight) !== 0),
    sets,
  }
}

/** Reads a model of one of the given losses; throws `data_invalid` that says what is wrong with it. */
export function modelFromJson(json: unknown, losses: readonly string[]): EnsembleParts {
  const fields = fieldsOf(json)
  if (fields['format'] !== format) refuse('it does not say that it is one')
  if (fields['version'] !== version) refuse(`its version is ${String(fields['version'])}, not ${version}`)
  const loss = fields['loss']
  if (typeof loss !== 'string' || !losses.includes(loss))
    refuse(`its loss is not one of ${losses.join(', ')}`)
  const names = namesOf(fields['names'])
  const start = numbers(fields, 'start')
  const gain = numbers(fields, 'gain')
  if (gain.length !== names.length) refuse('"gain" does not have one number a column')
  if (start.length === 0 || (start.length === 1) === (loss === 'softmax'))
    refuse('"start" has the wrong length')
  const categories = categoriesOf(fields['categories'], names)
  const trees = treesOf(fields, names.length, categories)
  if (trees.roots.length % start.length !== 0) refuse('its trees do not fit its outputs')
  return { loss, names, categories, start, trees, gain }
}

function treesOf(fields: Fields, width: number, categories: ReadonlyMap<number, Float64Array>): FlatTrees {
  const sizes = numbers(fields, 'sizes')
  const feature = Int32Array.from(numbers(fields, 'feature'))
  const cover = numbers(fields, 'cover')
  const value = numbers(fields, 'value', true)
  const nodes = feature.length
  if (value.length !== nodes || cover.length !== nodes) refuse('its lists of nodes differ in length')
  const sets = setsOf(fields['sets'])
  const flags = new Uint8Array(nodes)
  for (const node of numbers(fields, 'missingRight')) {
    if (!(node in flags)) refuse(`there is no node ${node}`)
    flags[node] = missingRight
  }
  const left = new Int32Array(nodes)
  const roots = new Int32Array(sizes.length)
  let first = 0
  for (const [tree, size] of sizes.entries()) {
    roots[tree] = first
    let splits = 0
    for (let node = first; node < first + size; node++) {
      const column = feature[node] ?? refuse(`tree ${tree} is cut off`)
      if (column === -1) {
        if (!Number.isFinite(value[node])) refuse(`the leaf ${node} has no value`)
        continue
      }
      if (!(column >= 0 && column < width)) refuse(`node ${node} asks for column ${column} of ${width}`)
      left[node] = first + 2 * splits + 1
      splits++
      if (!categories.has(column)) continue
      flags[node]! |= bySet
      if (!(value[node]! * binSpan in sets)) refuse(`node ${node} names a set that is not there`)
    }
    if (!(size >= 1) || size !== 2 * splits + 1) refuse(`tree ${tree} is not a tree`)
    if (!childrenFollow(left, feature, first, size)) refuse(`tree ${tree} is not in order`)
    first += size
  }
  if (first !== nodes) refuse('it has nodes that belong to no tree')
  return { roots, feature, value, left, flags, cover, sets }
}

/** Whether all children come after their parents, so that every walk ends. */
function childrenFollow(left: Int32Array, feature: Int32Array, first: number, size: number): boolean {
  for (let node = first; node < first + size; node++) {
    if (feature[node]! >= 0 && left[node]! <= node) return false
  }
  return true
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(json: unknown): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse('it is not an object')
  return Object.fromEntries(Object.entries(json))
}

function numbers(fields: Fields, name: string, orNull = false): Float64Array {
  const list = fields[name]
  if (!Array.isArray(list)) return refuse(`"${name}" is not a list`)
  const out = new Float64Array(list.length)
  for (const [k, item] of list.entries()) {
    if (typeof item === 'number' && Number.isFinite(item)) out[k] = item
    else if (orNull && item === null) out[k] = Number.POSITIVE_INFINITY
    else refuse(`"${name}" holds something that is not a number at position ${k}`)
  }
  return out
}

function namesOf(list: unknown): string[] {
  if (!Array.isArray(list)) return refuse('"names" is not a list')
  const names = list.filter((name): name is string => typeof name === 'string')
  if (names.length !== list.length) refuse('"names" holds something that is not text')
  if (names.some((name, k) => k > 0 && !(names[k - 1]! < name))) refuse('"names" is not in order')
  return names
}

function categoriesOf(json: unknown, names: readonly string[]): Map<number, Float64Array> {
  const fields = fieldsOf(json)
  const out = new Map<number, Float64Array>()
  for (const name of Object.keys(fields)) {
    const position = names.indexOf(name)
    if (position < 0) refuse(`there is no column "${name}"`)
    const codes = numbers(fields, name)
    if (codes.length >= binSpan) refuse(`"${name}" has too many categories`)
    out.set(position, codes)
  }
  return new Map([...out].sort(([a], [b]) => a - b))
}

function setsOf(list: unknown): Uint8Array {
  if (!Array.isArray(list)) return refuse('"sets" is not a list')
  const sets = new Uint8Array(list.length * binSpan)
  for (const k of list.keys()) {
    for (const bin of numbers({ set: list[k] }, 'set')) {
      if (!Number.isInteger(bin) || bin < 0 || bin >= binSpan)
        refuse(`set ${k} holds ${bin}, which is no bin`)
      sets[k * binSpan + bin] = 1
    }
  }
  return sets
}

function refuse(why: string): never {
  throw new HomeostatError('data_invalid', { detail: `This is not a model of boosted trees: ${why}` })
}
