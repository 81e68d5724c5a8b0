/**
 * The part of Home Assistant's value templates (Jinja) that devices announce: one `{{ expression }}` over `value` and
 * `value_json`, with members, filters, arithmetic, comparisons and `a if b else c`. Statements (`{% %}`) are not read.
 */

/** `undefined`: the payload lacks what the template asks for. */
export type Template = (payload: { readonly value: string; readonly json: unknown }) => unknown

/** Undefined where the template is of another form. */
export function compileTemplate(source: string): Template | undefined {
  const [, inner] = /^\s*\{\{-?([\s\S]*?)-?\}\}\s*$/.exec(source) ?? []
  if (inner === undefined || source.length > sourceMax) return undefined
  const tokens = tokensOf(inner)
  if (!tokens) return undefined
  try {
    const parser = new Parser(tokens)
    const run = parser.whole()
    return ({ value, json }) => run({ value, value_json: json })
  } catch (error) {
    if (error instanceof UnreadTemplate) return undefined
    throw error
  }
}

const sourceMax = 2000

class UnreadTemplate extends Error {}

type Variables = Readonly<Record<'value' | 'value_json', unknown>>
type Expression = (variables: Variables) => unknown

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign'
  readonly text: string
}

const tokenForms =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(==|!=|<=|>=|\/\/|[-+*/%<>()[\].,|~]))/y

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = []
  const trimmed = text.trimEnd()
  tokenForms.lastIndex = 0
  while (tokenForms.lastIndex < trimmed.length) {
    const found = tokenForms.exec(trimmed)
    if (!found) return undefined
    const [, name, number, single, double, sign = ''] = found
    if (name !== undefined) tokens.push({ kind: 'name', text: name })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (single !== undefined || double !== undefined)
      tokens.push({ kind: 'text', text: (single ?? double ?? '').replace(/\\(.)/g, '$1') })
    else tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}

/** Recursive descent; a filter binds more tightly than arithmetic, as in Jinja. */
class Parser {
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression {
    const expression = this.#choice()
    if (this.#index < this.#tokens.length) throw new UnreadTemplate()
    return expression
  }

  #choice(): Expression {
    if (++this.#depth > depthMax) throw new UnreadTemplate()
    const then = this.#or()
    this.#depth--
    if (!this.#takes('name', 'if')) return then
    const condition = this.#or()
    if (!this.#takes('name', 'else')) return (v) => (isTrue(condition(v)) ? then(v) : undefined)
    const otherwise = this.#choice()
    return (v) => (isTrue(condition(v)) ? then(v) : otherwise(v))
  }

  #or(): Expression {
    let left = this.#and()
    while (this.#takes('name', 'or')) {
      const [a, b] = [left, this.#and()]
      left = (v) => (isTrue(a(v)) ? a(v) : b(v))
    }
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.#takes('name', 'and')) {
      const [a, b] = [left, this.#not()]
      left = (v) => (isTrue(a(v)) ? b(v) : a(v))
    }
    return left
  }

  #not(): Expression {
    if (!this.#takes('name', 'not')) return this.#comparison()
    const inner = this.#comparison()
    return (v) => !isTrue(inner(v))
  }

  #comparison(): Expression {
    const left = this.#sum()
    if (this.#takes('name', 'is')) {
      const isNegated = this.#takes('name', 'not')
      if (!this.#takes('name', 'defined')) throw new UnreadTemplate()
      return (v) => (left(v) === undefined) === isNegated
    }
    const sign = this.#peek()?.kind === 'sign' ? this.#peek()?.text : undefined
    const compare = sign === undefined ? undefined : comparisons[sign]
    if (!compare) return left
    this.#index++
    const right = this.#sum()
    return (v) => compare(left(v), right(v))
  }

  #sum(): Expression {
    return this.#operators(() => this.#product(), sums)
  }

  #product(): Expression {
    return this.#operators(() => this.#unary(), products)
  }

  #operators(next: () => Expression, known: Operators): Expression {
    let left = next()
    for (;;) {
      const token = this.#peek()
      const operate = token?.kind === 'sign' ? known[token.text] : undefined
      if (!operate) return left
      this.#index++
      const [a, b] = [left, next()]
      left = (v) => operate(a(v), b(v))
    }
  }

  #unary(): Expression {
    if (!this.#takes('sign', '-')) return this.#filtered()
    const inner = this.#filtered()
    return (v) => numeric(inner(v), (number) => -number)
  }

  #filtered(): Expression {
    let expression = this.#member()
    while (this.#takes('sign', '|')) {
      const name = this.#name()
      const filter = Object.hasOwn(filters, name) ? filters[name] : undefined
      if (!filter) throw new UnreadTemplate()
      const [inner, given] = [expression, this.#takes('sign', '(') ? this.#arguments() : []]
      expression = (v) =>
        filter(
          inner(v),
          given.map((argument) => argument(v)),
        )
    }
    return expression
  }

  #member(): Expression {
    let expression = this.#primary()
    for (;;) {
      const owner = expression
      if (this.#takes('sign', '.')) {
        const name = this.#peek()?.kind === 'number' ? this.#next().text : this.#name()
        if (name === 'get' && this.#takes('sign', '(')) {
          const [key, fallback] = this.#arguments()
          if (!key) throw new UnreadTemplate()
          expression = (v) => memberOf(owner(v), key(v)) ?? fallback?.(v)
        } else expression = (v) => memberOf(owner(v), name)
      } else if (this.#takes('sign', '[')) {
        const key = this.#choice()
        if (!this.#takes('sign', ']')) throw new UnreadTemplate()
        expression = (v) => memberOf(owner(v), key(v))
      } else return expression
    }
  }

  #primary(): Expression {
    const token = this.#next()
    if (token.kind === 'number') return () => Number(token.text)
    if (token.kind === 'text') return () => token.text
    if (token.kind === 'sign') {
      if (token.text !== '(') throw new UnreadTemplate()
      const inner = this.#choice()
      if (!this.#takes('sign', ')')) throw new UnreadTemplate()
      return inner
    }
    if (token.text === 'value' || token.text === 'value_json') {
      const name = token.text
      return (v) => v[name]
    }
    if (Object.hasOwn(constants, token.text)) return () => constants[token.text]
    // filters that are also functions: float(value), int(value), round(...)
    const filter = Object.hasOwn(filters, token.text) ? filters[token.text] : undefined
    if (!filter || !this.#takes('sign', '(')) throw new UnreadTemplate()
    const [input, ...given] = this.#arguments()
    if (!input) throw new UnreadTemplate()
    return (v) =>
      filter(
        input(v),
        given.map((argument) => argument(v)),
      )
  }

  /** Behind the opening bracket; names of arguments are left out. */
  #arguments(): Expression[] {
    const given: Expression[] = []
    while (!this.#takes('sign', ')')) {
      given.push(this.#choice())
      if (!this.#takes('sign', ',') && this.#peek()?.text !== ')') throw new UnreadTemplate()
    }
    return given
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#index]
  }

  #next(): Token {
    const token = this.#tokens[this.#index++]
    if (!token) throw new UnreadTemplate()
    return token
  }

  #name(): string {
    const token = this.#next()
    if (token.kind !== 'name') throw new UnreadTemplate()
    return token.text
  }

  #takes(kind: Token['kind'], text: string): boolean {
    const token = this.#peek()
    if (token?.kind !== kind || token.text !== text) return false
    this.#index++
    return true
  }
}

const depthMax = 50

const constants: Readonly<Record<string, unknown>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
}

const isTrue = (value: unknown): boolean => Boolean(value) && value !== undefined

/** Own members only, so that a template cannot reach into prototypes. */
function memberOf(owner: unknown, key: unknown): unknown {
  if (typeof owner !== 'object' || owner === null) return undefined
  const name = typeof key === 'number' && key < 0 && Array.isArray(owner) ? owner.length + key : key
  const member = String(name)
  return Object.hasOwn(owner, member) ? (owner as Record<string, unknown>)[member] : undefined
}

/** Undefined stays so: what a payload lacks is not 0. */
function numeric(value: unknown, use: (number: number) => number): unknown {
  if (value === undefined || value === null) return undefined
  const number = numberOf(value)
  return Number.isNaN(number) ? value : use(number)
}

function numberOf(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' && value.trim() === '') return Number.NaN
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
}

type Operators = Readonly<Record<string, (a: unknown, b: unknown) => unknown>>

const arithmetic =
  (operate: (a: number, b: number) => number) =>
  (a: unknown, b: unknown): unknown => {
    const [left, right] = [numberOf(a), numberOf(b)]
    if (a === undefined || b === undefined || Number.isNaN(left) || Number.isNaN(right)) return undefined
    return operate(left, right)
  }

const sums: Operators = {
  '+': arithmetic((a, b) => a + b),
  '-': arithmetic((a, b) => a - b),
  '~': (a, b) => `${a ?? ''}${b ?? ''}`,
}

const products: Operators = {
  '*': arithmetic((a, b) => a * b),
  '/': arithmetic((a, b) => a / b),
  '//': arithmetic((a, b) => Math.floor(a / b)),
  '%': arithmetic((a, b) => a - b * Math.floor(a / b)),
}

const comparisons: Operators = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => numberOf(a) < numberOf(b),
  '>': (a, b) => numberOf(a) > numberOf(b),
  '<=': (a, b) => numberOf(a) <= numberOf(b),
  '>=': (a, b) => numberOf(a) >= numberOf(b),
}

/** A value that is no number becomes the default of `float` and `int`; without one the parser of readings refuses it. */
const converted = (
  value: unknown,
  [fallback]: readonly unknown[],
  use: (number: number) => number,
): unknown => (Number.isNaN(numberOf(value)) ? (fallback ?? value ?? undefined) : use(numberOf(value)))

const filters: Readonly<Record<string, (value: unknown, given: readonly unknown[]) => unknown>> = {
  float: (value, given) => converted(value, given, (number) => number),
  int: (value, given) => converted(value, given, Math.trunc),
  round: (value, [digits]) => {
    const scale = 10 ** Number(digits ?? 0)
    return numeric(value, (number) => Math.round(number * scale) / scale)
  },
  abs: (value) => numeric(value, Math.abs),
  multiply: (value, [factor]) => numeric(value, (number) => number * Number(factor)),
  add: (value, [summand]) => numeric(value, (number) => number + Number(summand)),
  default: (value, [fallback]) => value ?? fallback,
  d: (value, [fallback]) => value ?? fallback,
  is_defined: (value) => value,
  string: (value) => (value === undefined ? undefined : String(value)),
  lower: (value) => (value === undefined ? undefined : String(value).toLowerCase()),
  upper: (value) => (value === undefined ? undefined : String(value).toUpperCase()),
  trim: (value) => (value === undefined ? undefined : String(value).trim()),
  bool: (value) => value,
}
