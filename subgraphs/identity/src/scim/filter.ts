import { ScimError } from './scim-error.ts'

/** Filters of more characters, terms or brackets inside brackets are refused before they reach the database. */
export const filterCharactersMax = 4_000
const filterTermsMax = 100
const filterDepthMax = 20

const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type Operator = (typeof operators)[number]
export type FilterValue = string | number | boolean | null

/** `emails[type eq "work"].value`: a name, which of its values, and which part of them. */
export interface FilterPath {
  readonly name: string
  readonly where: Filter | null
  readonly sub: string | null
}

/** A filter of RFC 7644 §3.4.2.2, read but not yet held against any schema. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'present'; readonly path: FilterPath }
  | {
      readonly kind: 'compare'
      readonly path: FilterPath
      readonly operator: Operator
      readonly value: FilterValue
    }

/** Throws 400 `invalidFilter`. */
export function parseFilter(text: string): Filter {
  const parser = new Parser(text, 'invalidFilter')
  const filter = parser.either()
  parser.end()
  return filter
}

/** The path of a patch operation (RFC 7644 §3.5.2). Throws 400 `invalidPath`. */
export function parsePath(text: string): FilterPath {
  const parser = new Parser(text, 'invalidPath')
  const path = parser.path()
  parser.end()
  return path
}

type Token =
  | { readonly kind: 'sign'; readonly text: '(' | ')' | '[' | ']' }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }

const token = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y
const attributeName = /^(?:urn:[\w:.-]+:)?[a-z$][\w$-]*(?:\.[a-z$][\w$-]*)?$/i
const subAttributeName = /^\.[a-z$][\w$-]*$/i
const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i

class Parser {
  readonly #type: 'invalidFilter' | 'invalidPath'
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #terms = 0

  constructor(text: string, type: 'invalidFilter' | 'invalidPath') {
    this.#type = type
    if (text.length > filterCharactersMax) {
      throw this.#refused(`it is longer than ${filterCharactersMax} characters`)
    }
    this.#tokens = this.#tokensOf(text)
  }

  /** `or` binds less than `and`, and `and` less than `not`. */
  either(): Filter {
    const filters = [this.#both()]
    while (this.#takeWord('or')) filters.push(this.#both())
    return filters.length === 1 && filters[0] ? filters[0] : { kind: 'or', filters }
  }

  path(): FilterPath {
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'word' || !attributeName.test(next.text)) {
      throw this.#refused('a name of an attribute is missing')
    }
    this.#at += 1
    if (!this.#takeSign('[')) return { name: next.text, where: null, sub: null }
    const where = this.#inside(']')
    const after = this.#tokens[this.#at]
    if (after?.kind !== 'word' || !subAttributeName.test(after.text)) {
      return { name: next.text, where, sub: null }
    }
    this.#at += 1
    return { name: next.text, where, sub: after.text.slice(1) }
  }

  end(): void {
    const left = this.#tokens[this.#at]
    if (left) throw this.#refused(`${left.text.slice(0, 40)} is not expected there`)
  }

  #both(): Filter {
    const filters = [this.#one()]
    while (this.#takeWord('and')) filters.push(this.#one())
    return filters.length === 1 && filters[0] ? filters[0] : { kind: 'and', filters }
  }

  #one(): Filter {
    if (this.#takeSign('(')) return this.#inside(')')
    const next = this.#tokens[this.#at]
    const after = this.#tokens[this.#at + 1]
    if (next?.kind === 'word' && next.text.toLowerCase() === 'not' && after?.text === '(') {
      this.#at += 2
      return { kind: 'not', filter: this.#inside(')') }
    }
    return this.#term()
  }

  #inside(close: ')' | ']'): Filter {
    this.#depth += 1
    if (this.#depth > filterDepthMax) {
      throw this.#refused(`more than ${filterDepthMax} brackets are inside each other`)
    }
    const filter = this.either()
    if (!this.#takeSign(close)) throw this.#refused(`a ${close} is missing`)
    this.#depth -= 1
    return filter
  }

  #term(): Filter {
    this.#terms += 1
    if (this.#terms > filterTermsMax) {
      throw this.#refused(`it has more than ${filterTermsMax} conditions`)
    }
    const path = this.path()
    const word = this.#tokens[this.#at]
    const name = word?.kind === 'word' ? word.text.toLowerCase() : ''
    if (name === 'pr') {
      this.#at += 1
      return { kind: 'present', path }
    }
    const operator = operators.find((one) => one === name)
    if (!operator) {
      // `emails[type eq "work"]` by itself asks whether there is one.
      if (path.where && path.sub === null) return { kind: 'present', path }
      throw this.#refused(`an operator is missing after ${path.name}`)
    }
    this.#at += 1
    return { kind: 'compare', path, operator, value: this.#value() }
  }

  #value(): FilterValue {
    const next = this.#tokens[this.#at]
    this.#at += 1
    if (next?.kind === 'string') return this.#stringOf(next.text)
    const word = next?.kind === 'word' ? next.text : ''
    const literal = word.toLowerCase()
    if (literal === 'true' || literal === 'false') return literal === 'true'
    if (literal === 'null') return null
    if (numberForm.test(word)) return Number(word)
    throw this.#refused('a value is missing, or a text is not in double quotes')
  }

  #stringOf(quoted: string): string {
    let text: unknown = null
    try {
      text = JSON.parse(quoted)
    } catch {
      // Said below.
    }
    // PostgreSQL keeps no NUL.
    if (typeof text !== 'string' || text.includes('\0')) {
      throw this.#refused('a text in it is not a JSON string')
    }
    return text
  }

  #takeSign(text: string): boolean {
    const next = this.#tokens[this.#at]
    const taken = next?.kind === 'sign' && next.text === text
    if (taken) this.#at += 1
    return taken
  }

  #takeWord(text: string): boolean {
    const next = this.#tokens[this.#at]
    const taken = next?.kind === 'word' && next.text.toLowerCase() === text
    if (taken) this.#at += 1
    return taken
  }

  #tokensOf(text: string): Token[] {
    const tokens: Token[] = []
    const trimmed = text.trimEnd()
    token.lastIndex = 0
    while (token.lastIndex < trimmed.length) {
      const [, sign, string, word] = token.exec(trimmed) ?? []
      if (sign !== undefined) tokens.push({ kind: 'sign', text: sign as '(' })
      else if (string !== undefined) tokens.push({ kind: 'string', text: string })
      else if (word !== undefined) tokens.push({ kind: 'word', text: word })
      else throw this.#refused('a text in it does not end')
    }
    return tokens
  }

  #refused(reason: string): ScimError {
    const what = this.#type === 'invalidFilter' ? 'filter' : 'path'
    return new ScimError(400, `The ${what} cannot be used: ${reason}.`, this.#type)
  }
}
