import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** The rules of the house, held by a test: which way imports point, sizes, what pure code may not call. */

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each folder of src may import of the others. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  contract: [],
  ml: ['core'],
  domains: ['core', 'ml', 'contract'],
  sources: ['core', 'contract'],
  stores: ['core', 'contract'],
  sinks: ['core', 'contract'],
  platform: ['core', 'ml'],
  config: ['core'],
  engine: ['core', 'ml', 'domains'],
  api: ['core', 'contract', 'engine'],
}

/** The only places where a port meets an adapter. */
const composition = ['main.ts', 'compose.ts', 'backup.ts', 'demo.ts', 'edge.ts', 'cli']

const pure = ['core', 'ml', 'domains', 'engine']

/** What pure code gets through ports instead. */
const forbidden: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, 'the wall clock'],
  [/\bnew Date\(\s*\)/, 'the wall clock'],
  [/\bperformance\.now\b/, 'the monotonic clock'],
  [/\bset(Timeout|Interval|Immediate)\b/, 'timers'],
  [/\bMath\.random\b/, 'unseeded randomness'],
  [/\bfetch\(/, 'the network'],
  [/\bprocess\./, 'the process'],
  [/['"]node:/, 'modules of Node'],
]

const everywhere: readonly (readonly [RegExp, string])[] = [
  [/\bas unknown as\b/, 'a cast through unknown'],
  [/(:|<|as|,)\s*any\b(?!\s*[-'"`\w])/, 'any'],
  [/\bexport default\b/, 'a default export'],
]

const lines = { file: 400, hub: 250, method: 70 }
const hubs = ['src/engine/pump.ts', 'src/engine/engine.ts', 'src/main.ts']

interface Source {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
  /** Without comments and the contents of texts, so that words in them do not count as code. */
  readonly code: string
  /** Relative imports, from the root; `runtime` where more than types are taken. */
  readonly imports: readonly { readonly path: string; readonly runtime: boolean }[]
}

const sources = [...walk('src'), ...walk('web/src')]
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
  .map(load)
const product = sources.filter(({ path }) => !/\.test\.tsx?$/.test(path))
const server = product.filter(({ path }) => path.startsWith('src/'))

const say = (found: readonly string[]): string => found.join('\n')

describe('the house', () => {
  it('holds sources at all, in every folder that a rule names', () => {
    const folders = new Set(server.map(({ path }) => path.split('/')[1]))
    const missing = Object.keys(mayImport).filter((folder) => !folders.has(folder) && folder !== 'sinks')
    expect(missing).toEqual([])
    expect(server.length).toBeGreaterThan(50)
  })

  it('has imports that point one way', () => {
    const wrong = server.flatMap(({ path, imports }) => {
      const own = path.split('/')[1] ?? ''
      if (composition.includes(own)) return []
      const allowed = mayImport[own]
      if (!allowed) return [`${path}: the folder ${own} has no rule; add one here`]
      return imports
        .map((one) => one.path.split('/')[1] ?? '')
        .filter((other) => other !== own && !allowed.includes(other))
        .map((other) => `${path} imports ${other}`)
    })
    expect(say(wrong)).toBe('')
  })

  it('lets the browser see the contract and nothing else', () => {
    const wrong = product
      .filter(({ path }) => path.startsWith('web/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter((one) => !/^(web|src\/contract)\//.test(one.path))
          .map((one) => `${path} imports ${one.path}`),
      )
    expect(say(wrong)).toBe('')
  })

  it('names a domain in its folder and in the list of domains only', () => {
    const wrong = server.flatMap(({ path, imports }) =>
      imports
        .map((one) => /^src\/domains\/(\w+)\//.exec(one.path)?.[1])
        .filter((name) => name !== undefined && path !== 'src/domains/index.ts')
        .filter((name) => !path.startsWith(`src/domains/${name}/`))
        .map((name) => `${path} imports the domain ${name}`),
    )
    expect(say(wrong)).toBe('')
  })

  it('explains each domain at the top of its folder', () => {
    const indexes = server.filter(({ path }) => /^src\/domains\/\w+\/index\.ts$/.test(path))
    expect(indexes.filter(({ text }) => !/^\/\*\* \w+: /.test(text)).map(({ path }) => path)).toEqual([])
    const folders = readdirSync(join(root, 'src/domains'), { withFileTypes: true })
    expect(indexes).toHaveLength(folders.filter((entry) => entry.isDirectory()).length)
  })

  it('loads no library in domains: of zod they see the types', () => {
    const wrong = server
      .filter(({ path }) => path.startsWith('src/domains/'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/^import (?!type )[^']*from '([^.'][^']*)'$/gm)].map(
          ([, library]) => `${path} loads ${library}`,
        ),
      )
    expect(say(wrong)).toBe('')
  })

  it('has no cycle of imports at run time', () => {
    expect(say(cycles(product))).toBe('')
  })

  it('keeps pure code pure', () => {
    const wrong = server
      .filter(({ path }) => pure.includes(path.split('/')[1] ?? ''))
      .flatMap((source) => findings(source, forbidden))
    expect(say(wrong)).toBe('')
  })

  it('uses no any, no cast through unknown, no default export', () => {
    expect(say(server.flatMap((source) => findings(source, everywhere)))).toBe('')
  })

  it('keeps files short', () => {
    const wrong = product.flatMap(({ path, text }) => {
      const count = text.split('\n').length - 1
      const most = hubs.includes(path) ? lines.hub : lines.file
      return count > most && !isGenerated(text) ? [`${path} has ${count} lines, at most ${most}`] : []
    })
    expect(say(wrong)).toBe('')
  })

  it('keeps functions short', () => {
    expect(say(product.filter(({ text }) => !isGenerated(text)).flatMap(longFunctions))).toBe('')
  })
})

function findings({ path, code }: Source, rules: readonly (readonly [RegExp, string])[]): string[] {
  return code
    .split('\n')
    .flatMap((line, index) =>
      rules
        .filter(([pattern]) => pattern.test(line))
        .map(([, what]) => `${path}:${index + 1} uses ${what}: ${line.trim()}`),
    )
}

const isGenerated = (text: string): boolean =>
  /^\/\/ Generated by /.test(text) || /\* Generated by /.test(text.slice(0, 400))

/** A function's head ends its line with `{`; its end is the brace at the same indentation. The formatter sees to both. */
function longFunctions({ path, text }: Source): string[] {
  const rows = text.split('\n')
  const head =
    /^(\s*)(export )?(async )?(function\b|(static |#|get |override |async |\*)*[\w#]+(<[^(]*>)?\(.*\).*\{$|const \w+ = (async )?(<.*>)?\(.*=>\s*\{$)/
  return rows.flatMap((row, start) => {
    const match = head.exec(row)
    if (!match || /^\s*(if|for|while|switch|catch|return|describe|it|test)\b/.test(row)) return []
    const indent = match[1] ?? ''
    const opened = row.trimEnd().endsWith('{')
      ? start
      : rows.findIndex(
          (next, at) => at > start && next.startsWith(`${indent})`) && next.trimEnd().endsWith('{'),
        )
    if (opened < 0) return []
    const end = rows.findIndex((next, at) => at > opened && next.startsWith(`${indent}}`))
    const count = end - start + 1
    return end > 0 && count > lines.method ? [`${path}:${start + 1} has ${count} lines: ${row.trim()}`] : []
  })
}

/** Depth-first search; a cycle is given by the files on it. */
function cycles(all: readonly Source[]): string[] {
  const byPath = new Map(all.map((source) => [source.path, source]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
      return
    }
    if (done.has(path)) return
    for (const next of byPath.get(path)?.imports ?? []) if (next.runtime) visit(next.path, [...trail, path])
    done.add(path)
  }
  for (const { path } of all) visit(path, [])
  return found
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? walk(path) : [path]
  })
}

function load(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const uncommented = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '')
  const pattern = /(?:^|\n)\s*(import|export)\s+(type\s+)?([^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]/g
  const imports = [...uncommented.matchAll(pattern)].map(([, , type, names, from]) => ({
    path: relative(root, resolve(root, dirname(path), from ?? '')).replaceAll('\\', '/'),
    runtime: type === undefined && !onlyTypes(names ?? ''),
  }))
  // module names stay for the rule on modules of Node; other texts are no code
  const code = uncommented.replace(/`[^`]*`/g, '``').replace(/'(?!node:)[^'\n]*'/g, "''")
  return { path, text, code, imports }
}

/** `{ type A, type B } from`: nothing of it is left at run time. */
function onlyTypes(names: string): boolean {
  const inside = /\{([^}]*)\}/.exec(names)?.[1]
  if (inside === undefined) return false
  const parts = inside
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return parts.length > 0 && parts.every((part) => part.startsWith('type '))
}
