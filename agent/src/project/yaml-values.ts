import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'

import { interpolate } from './interpolate.ts'

/** Where something stands, as editors count: from one. */
interface Position {
  readonly line: number
  readonly column: number
}

export interface Fault extends Position {
  /** `tunnels.app.target`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** The values of a file, and where each of them stands. */
export interface YamlValues {
  readonly value: unknown
  readonly faults: readonly Fault[]
  has(path: readonly PropertyKey[]): boolean
  /** The position of a value, or of the nearest one around it that exists. */
  positionOf(path: readonly PropertyKey[]): Position
  /** The position of a key of a mapping. */
  keyPositionOf(path: readonly PropertyKey[], key: string): Position
}

/** More values than any project file has: a few lines of aliases can stand for billions. */
const valuesMax = 20_000
const depthMax = 20

interface YamlOptions {
  /** Null leaves variables as they stand. */
  readonly env: NodeJS.ProcessEnv | null
  /** Keys whose values are taken as they stand. */
  readonly verbatimKeys: ReadonlySet<string>
}

/** Reads YAML into plain values with their variables filled in. */
export function readYamlValues(text: string, { env, verbatimKeys }: YamlOptions): YamlValues {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const positions = new Map<string, Position>()
  const faults: Fault[] = []
  let values = 0

  function at(offset: number): Position {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  function fault(offset: number, path: readonly string[], message: string): undefined {
    faults.push({ ...at(offset), path: path.join('.'), message })
    return undefined
  }

  function valueOf(
    node: Node | null | undefined,
    path: readonly string[],
    offset: number,
  ): unknown {
    if (!node) return null
    const start = node.range?.[0] ?? offset
    values += 1
    if (values > valuesMax || path.length > depthMax) {
      if (values === valuesMax + 1) fault(start, path, 'the file holds too many values')
      return undefined
    }
    if (isAlias(node)) return valueOf(node.resolve(document) ?? null, path, start)
    positions.set(keyOf(path), at(start))
    if (isMap(node)) return mapOf(node.items as PairNode[], path, start)
    if (isSeq(node)) {
      return node.items.map((item, index) => valueOf(item as Node, [...path, String(index)], start))
    }
    if (!isScalar(node)) return fault(start, path, 'only mappings, lists and values are understood')
    const isVerbatim = path.some((key) => verbatimKeys.has(key))
    if (typeof node.value !== 'string' || isVerbatim || !env) return node.value
    const filled = interpolate(node.value, env)
    if (filled.missing !== undefined) {
      return fault(
        start + Math.max(0, (node.source ?? '').indexOf(`\${${filled.missing}`)),
        path,
        `\${${filled.missing}} is not set`,
      )
    }
    // `${DEBUG}` without quotes means what the text of the variable would mean in its place.
    return filled.changed && node.type === 'PLAIN' ? plainValueOf(filled.text) : filled.text
  }

  function mapOf(items: readonly PairNode[], path: readonly string[], start: number): object {
    const entries: [string, unknown][] = []
    for (const { key, value } of items) {
      const keyStart = key?.range?.[0] ?? start
      if (!isScalar(key)) {
        fault(keyStart, path, 'a key is a word')
        continue
      }
      const name = String(key.value)
      positions.set(`${keyOf([...path, name])}#key`, at(keyStart))
      entries.push([name, valueOf(value, [...path, name], keyStart)])
    }
    return Object.fromEntries(entries)
  }

  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    fault(pos[0], [], sentence(message))
  }
  const value = faults.length > 0 ? undefined : valueOf(document.contents, [], 0)
  return {
    value,
    faults,
    has: (path) => positions.has(keyOf(path.map(String))),
    positionOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const found = positions.get(keyOf(path.slice(0, length).map(String)))
        if (found) return found
      }
      return { line: 1, column: 1 }
    },
    keyPositionOf: (path, key) =>
      positions.get(`${keyOf([...path.map(String), key])}#key`) ?? { line: 1, column: 1 },
  }
}

interface PairNode {
  readonly key: Node | null
  readonly value: Node | null
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path)
}

function plainValueOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}

function sentence(message: string): string {
  const first = message.split('\n')[0] ?? message
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`
}
