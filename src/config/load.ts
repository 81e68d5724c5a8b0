import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Document, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { HomeostatError } from '../core/errors.ts'
import { dotenvFiles, type Environment, type Setting, settingsOf } from './env.ts'
import { ConfigKeys, expectation, type KeyNode, nameOf, nearest } from './keys.ts'
import { type Config, configSchemaOf, type DomainSettings, withoutOlderKeys } from './schema.ts'

export type { Config } from './schema.ts'

export interface ConfigSources {
  /** The YAML file; it must exist. Default: `homeostat.yaml` in `cwd`, where there is one. */
  readonly file?: string | undefined
  /** Folder of the `.env` files, and where a relative `data` begins. */
  readonly cwd: string
  /** Usually `process.env`. */
  readonly env: Environment
  /** From the command line, by key: `{ 'mqtt.port': 1884 }`; undefined counts as absent. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** Whose settings the file may contain. */
  readonly domains: readonly DomainSettings[]
}

type Tree = Record<string, unknown>

/**
 * The configuration: command line over environment over `.env` files over YAML over defaults.
 * Throws HomeostatError `config_key_unknown` (naming the nearest key), `config_invalid` (naming file, key, what was got
 * and what is right; never a secret) or `file_unreadable`.
 */
export function loadConfig({ file, cwd, env, flags = {}, domains }: ConfigSources): Config {
  const schema = configSchemaOf(domains)
  const keys = new ConfigKeys(schema)
  const yaml = file === undefined ? resolve(cwd, 'homeostat.yaml') : resolve(cwd, file)
  const tree = file === undefined && !existsSync(yaml) ? {} : readYaml(yaml, keys.root)
  const where = new Map<string, string>()
  for (const setting of [
    ...dotenvFiles(cwd, env).flatMap((found) => settingsOf(found.env, found.where, keys)),
    ...settingsOf(env, 'the environment', keys),
    ...settingsOfFlags(flags),
  ]) {
    put(tree, setting)
    where.set(setting.key, setting.where)
  }
  const parsed = schema.safeParse(tree)
  if (!parsed.success) throw refusal(parsed.error.issues, tree, keys, (key) => where.get(key) ?? yaml)
  return { ...withoutOlderKeys(parsed.data, domains), data: resolve(cwd, parsed.data.data) }
}

const settingsOfFlags = (flags: Readonly<Record<string, unknown>>): Setting[] =>
  Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value, where: 'the command line' }))

function readYaml(file: string, root: KeyNode): Tree {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const detail = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new HomeostatError('file_unreadable', { file, detail }, error)
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error) {
    const { line, col } = lines.linePos(error.pos[0])
    // the parser's own sentence may quote the line, and the line may hold a password: its code says enough
    const what = error.code.toLowerCase().replaceAll('_', ' ')
    throw invalid(file, `line ${line}, column ${col} is not YAML (${what})`)
  }
  const content = resolved(document, file)
  if (content === null || content === undefined) return {}
  if (!isTree(content)) throw invalid(file, 'it must hold keys, such as "port: 8000"')
  return withoutEmpty(content, root)
}

/** Fails for an alias (*name) without its anchor; the library's sentence is not passed on, it could be a password. */
function resolved(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS()
  } catch {
    throw invalid(
      file,
      'it has an alias (*name) that stands for nothing; put quotes around a text that begins with *',
    )
  }
}

/** A section or list of which everything is commented out is null in YAML; it means the defaults. */
function withoutEmpty(tree: Tree, node: KeyNode): Tree {
  const kept: Tree = {}
  for (const [key, value] of Object.entries(tree)) {
    const child = node.properties?.[key]
    if (value === null && (child?.properties ?? child?.items)) continue
    kept[key] = child?.properties && isTree(value) ? withoutEmpty(value, child) : value
  }
  return kept
}

/** Sets one value; a section that the YAML file wrote as something else is left for the check to find. */
function put(tree: Tree, { key, value }: Setting): void {
  const parts = key.split('.')
  const last = parts.pop() ?? key
  let section = tree
  for (const part of parts) {
    const inner = section[part] ?? {}
    if (!isTree(inner)) return
    section[part] = inner
    section = inner
  }
  section[last] = value
}

/** The first thing that is wrong, unknown keys before wrong values: a misspelt key explains a missing one. */
function refusal(
  issues: readonly z.core.$ZodIssue[],
  tree: Tree,
  keys: ConfigKeys,
  whereOf: (key: string) => string,
): HomeostatError {
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const key = nameOf([...issue.path, issue.keys[0] ?? ''])
    const meant = nearest(key, keys.names)
    const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
    return new HomeostatError('config_key_unknown', { where: whereOf(key), key, hint })
  }
  const [issue] = issues
  if (!issue) throw new Error('a refused configuration without an issue')
  const node = keys.at(issue.path)
  const name = nameOf(issue.path)
  const right = issue.code === 'custom' || isPattern(issue) ? issue.message : node && expectation(node)
  const got = node?.secret ? 'not right' : show(at(tree, issue.path))
  return invalid(whereOf(name), `${name} is ${got}; it must be ${right ?? issue.message}`)
}

const isPattern = (issue: z.core.$ZodIssue): boolean =>
  issue.code === 'invalid_format' && issue.format === 'regex'

const invalid = (where: string, detail: string): HomeostatError =>
  new HomeostatError('config_invalid', { where, detail })

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const part of path)
    found = typeof found === 'object' && found !== null ? Reflect.get(found, part) : undefined
  return found
}

/** A value for a message: short, and of a section only that it is one, since it may hold secrets. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (isTree(value)) return 'a section'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
