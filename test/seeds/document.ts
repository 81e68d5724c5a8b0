import type { System } from './row.ts'

/**
 * What the document of the older systems' interfaces names and the table does not: one line each, beginning with the
 * system. Routes and variables must be ids; every other name in a code span must occur in an id or among the fields.
 */
export function missingRows(document: string, systems: readonly System[]): string[] {
  return sectionsOf(document).flatMap(({ name, text }) => {
    const rows = systems.find((system) => system.name === name)?.rows ?? []
    const ids = rows.map(({ id }) => id)
    const known = new Set(rows.flatMap(({ id, fields }) => wordsOf(`${id} ${fields}`)))
    const spans = spansOf(text.replace(/^Env:.*$/gm, '')).filter((span) => !isFile(span))
    const missing = [
      ...variablesOf(text).filter((variable) => !ids.includes(variable)),
      ...routesOf(text).filter((route) => !isRow(route, ids)),
      ...spans.flatMap(topicsOf).filter((topic) => !ids.some((id) => id.includes(topic))),
      ...spans.flatMap(wordsOf).filter((word) => !known.has(word)),
    ]
    return [...new Set(missing)].map((one) => `${name}: ${one}`)
  })
}

/** "## A. Home care hub" begins the section A; everything before the first such head is shared. */
function sectionsOf(document: string): { readonly name: string; readonly text: string }[] {
  return document.split(/^## /m).map((text) => ({ name: /^([A-Z])\. /.exec(text)?.[1] ?? 'shared', text }))
}

/** Code spans; cells of tables escape their bars. */
const spansOf = (text: string): string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => (span ?? '').replaceAll('\\|', '|'))

/** The document points to files beside it. */
const isFile = (span: string): boolean => /^(seeds|data)\//.test(span)

const wordsOf = (text: string): string[] => text.match(/[A-Za-z_]\w*/g) ?? []

/** From the lines that begin with "Env:". "A_HOST/PORT" is A_HOST and A_PORT. */
function variablesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('Env:'))
  const names = lines.flatMap((line) =>
    spansOf(line).flatMap(
      (span) => span.match(/[A-Z][A-Z0-9]*(_[A-Z0-9]+)*(_\*)?(\/[A-Z]+)*(?![\w.])/g) ?? [],
    ),
  )
  return names
    .filter((name) => name !== 'JSON')
    .flatMap((name) => {
      const [first = '', ...others] = name.split('/')
      return [first, ...others.map((other) => first.replace(/[A-Z0-9]+$/, other))]
    })
}

interface Spelling {
  readonly method: string | undefined
  readonly path: string
}

/** "POST /api/x {a, b}", "/api/ai/a|b", and, in a list below "- `/api/x/`", the relative "latest/?hours=1". */
function routesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const base = /^- `(\/[\w/-]+\/)`/.exec(line)?.[1]
    return spansOf(line)
      .flatMap((span) => spellingsOf(span, base))
      .map(({ method, path }) => (method === undefined ? path : `${method} ${path}`))
  })
}

function spellingsOf(span: string, base: string | undefined): Spelling[] {
  const method = /^(GET|POST|PUT|DELETE) /.exec(span)?.[1]
  const rest = method === undefined ? span : span.slice(method.length + 1)
  const absolute = /^(?:\{base\})?(\/[A-Za-z{][\w{}/.-]*(?:\|[\w/]+)*)/.exec(rest)?.[1]
  if (absolute !== undefined) {
    const [first = '', ...others] = absolute.split('|')
    const folder = first.replace(/[^/]*$/, '')
    return [first, ...others.map((other) => folder + other)].map((path) => ({ method, path }))
  }
  const relative = /^((?:\{\w+\}|\w+)\/(?:\w+\/)*)(?:\?.*)?$/.exec(rest)?.[1]
  return base !== undefined && relative !== undefined ? [{ method, path: base + relative }] : []
}

/** A row for the path alone covers every method, and the forms with a host or a query. */
const isRow = (route: string, ids: readonly string[]): boolean =>
  ids.some((id) => {
    const path = id.replace(/^(GET|POST|PUT|DELETE|socket) /, '').replace('{base}', '')
    const bare = route.replace(/^(GET|POST|PUT|DELETE) /, '')
    const hasMethod = bare !== route && /^(GET|POST|PUT|DELETE) /.test(id)
    const [wanted, have] = hasMethod ? [route, id.replace('{base}', '')] : [bare, path]
    return have === wanted || have.startsWith(`${wanted}?`) || (!hasMethod && path.includes(` ${bare}`))
  })

const topicsOf = (span: string): string[] =>
  span.split(/\s+/).filter((token) => /^(HyperVolt|<\w+>)\/./.test(token))
