import { ownOf } from './json.ts'

type Path = readonly (string | number)[]

const each = '@'

/**
 * The objects at a place of the result so far, those that are there. Undefined when the place itself is not. What no subgraph
 * may answer, a list where the schema has none, throws as it does in `@apollo/gateway`.
 */
export function objectsAt(root: unknown, path: Path): unknown[] | undefined {
  if (!path.includes(each)) {
    const value = walk(root, path, 0, path.length)
    if (!value) return undefined
    return Array.isArray(value) ? value.filter(isThere) : [value]
  }
  const found: unknown[] = []
  const before = path.indexOf(each)
  const list = walk(root, path, 0, before)
  if (list === undefined || list === null) return undefined
  collect(list, path, before, found)
  return found
}

/** `at` stands on an `@`. */
function collect(list: unknown, path: Path, at: number, found: unknown[]): void {
  if (!Array.isArray(list)) throw new TypeError('value.flatMap is not a function')
  const next = path.indexOf(each, at + 1)
  const end = next === -1 ? path.length : next
  for (const item of list) {
    const value = walk(item, path, at + 1, end)
    if (value === undefined || value === null) continue
    if (next !== -1) collect(value, path, next, found)
    else if (Array.isArray(value)) found.push(...value.filter(isThere))
    else found.push(value)
  }
}

function walk(from: unknown, path: Path, start: number, end: number): unknown {
  let value = from
  for (let at = start; at < end; at += 1) {
    if (value === undefined || value === null) return value
    const name = path[at]
    if (typeof name !== 'string') throw new Error(`Unexpected ${typeof name} found in path`)
    if (Array.isArray(value)) {
      throw new Error(`Unexpected array in result for path element ${name}`)
    }
    value = ownOf(value, name)
  }
  return value
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined
}

/** The path of each object at a place, in the order in which they are asked for: where their errors belong. */
export function pathsAt(root: unknown, path: Path): (string | number)[][] {
  const found: (string | number)[][] = []
  find([], 0, root)
  return found

  function find(parent: (string | number)[], at: number, data: unknown): void {
    if (data === undefined || data === null) return
    const head = path[at]
    if (head === undefined) {
      found.push(parent)
    } else if (head === each) {
      if (!Array.isArray(data)) throw new Error('expected array when encountering `@`')
      for (const [index, value] of data.entries()) find([...parent, index], at + 1, value)
    } else if (typeof head !== 'string') {
      throw new Error(`unknown path part "${head}"`)
    } else if (Array.isArray(data)) {
      for (const [index, value] of data.entries()) find([...parent, index], at, value)
    } else if (Object.hasOwn(data, head)) {
      find([...parent, head], at + 1, ownOf(data, head))
    }
  }
}
