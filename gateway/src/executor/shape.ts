import {
  ERRORS,
  isCompositeType,
  isObjectType,
  type FieldSelection,
  type Operation,
  type Type,
} from '@apollo/federation-internals'
import type { GraphQLError } from 'graphql'

import { ownOf, type Fields } from './json.ts'
import {
  findConditions,
  Selections,
  typenameName,
  type Composite,
  type Condition,
  type Field,
  type List,
  type Value,
} from './selections.ts'

/** Answers `__schema` and `__type`. */
type Introspect = (selection: FieldSelection) => unknown

interface Shaping {
  /** By variable: those of `Shape.conditions`. */
  readonly variables: Readonly<Record<string, unknown>>
  readonly introspect: Introspect
  readonly errors: GraphQLError[]
  /** Where in the result we are. */
  readonly path: (string | number)[]
}

/** What a client asked for, made ready to be cut out of what the subgraphs answered. */
export interface Shape {
  /** Variables that decide whether something is there; they must be booleans. */
  readonly conditions: ReadonlySet<string>
  apply(input: Fields, shaping: Shaping): Fields | null
}

/** Null, and whoever holds it has been told why. */
const failed = Symbol('failed')
/** Null in a place that must not be: its parent goes too. */
const invalid = Symbol('invalid')

/**
 * The same result as `computeResponse` of `@apollo/gateway`, in the same order and with the same errors, with what can be known
 * beforehand worked out once: for each selection and each type that its objects turn out to have, one flat list of fields.
 */
export function compileShape(operation: Operation): Shape {
  const schema = operation.schema()
  const conditions = new Set<string>()
  const root = schema.schemaDefinition.rootType(operation.rootKind)
  if (!root) throw new Error(`no root type for ${operation.rootKind}`)
  // Opened here as far as conditions go: these are looked at before anything is fetched.
  findConditions(operation.selectionSet, conditions, schema)
  const selections = new Selections(schema, operation.selectionSet)
  return {
    conditions,
    apply(input, shaping) {
      const typename = input[typenameName]
      const output: Fields = {}
      const fields = selections.of(typename as string | undefined, root)
      return applyFields(fields, input, output, true, shaping) ? output : null
    },
  }
}

/** False: one of them must not be null and is, so the whole object goes. `isFresh`: nothing is in the output yet. */
function applyFields(
  fields: readonly Field[],
  input: Fields,
  output: Fields,
  isFresh: boolean,
  shaping: Shaping,
): boolean {
  for (const field of fields) {
    const { name, value, what } = field
    if (field.conditions !== null && !isIncluded(field.conditions, shaping)) continue
    const before = field.again || !isFresh ? ownOf(output, name) : undefined
    if (what === 'introspection') {
      if (before === undefined) output[name] = shaping.introspect(field.selection)
      continue
    }
    const given = (field.inherited ? ownOf(input, name) : input[name]) ?? null
    if (what === 'typename') {
      if (before !== undefined) continue
      const type = objectTypeOf(field, input, given)
      if (type === null) return false
      output[name] = type
      continue
    }
    // The common case, without a call or a path: a leaf that is as it should be.
    const leaf = value.kind === 'non-null' ? value.of : value
    if (leaf.kind === 'leaf' && before === undefined && given !== null && leaf.accepts(given)) {
      output[name] = given
      continue
    }
    shaping.path.push(name)
    const shaped = complete(value, given, before, field, shaping)
    shaping.path.pop()
    output[name] = typeof shaped === 'symbol' ? null : shaped
    if (shaped === invalid) return false
  }
  return true
}

function isIncluded(conditions: readonly Condition[], { variables }: Shaping): boolean {
  for (const { variable, expected } of conditions) {
    if (variables[variable] !== expected) return false
  }
  return true
}

function objectTypeOf(field: Field, input: Fields, given: unknown): string | null {
  const { name, parent } = field
  const said = given === null && name !== typenameName ? (input[typenameName] ?? null) : given
  const type = typeof said === 'string' ? (parent.schema().type(said) ?? parent) : parent
  return isObjectType(type) ? type.name : null
}

/** `before`: what stands in the result already, when a field is asked for twice. */
function complete(
  value: Value,
  input: unknown,
  before: unknown,
  field: Field,
  shaping: Shaping,
): unknown {
  if (before === null || (before !== undefined && !field.selection.selectionSet)) return before
  if (value.kind === 'non-null') {
    const shaped = complete(value.of, input, before, field, shaping)
    if (shaped === null) {
      const place = placeOf(shaping, value.of.type, field)
      report(shaping, `Cannot return null for non-nullable ${place}.`)
      return invalid
    }
    return typeof shaped === 'symbol' ? invalid : shaped
  }
  if (input === null) return null
  if (value.kind === 'list') return completeList(value, input, before, field, shaping)
  if (value.kind === 'composite') return completeObject(value, input, before, field, shaping)
  if (value.accepts(input)) return input
  report(shaping, `Invalid value found for ${placeOf(shaping, value.type, field)}.`)
  return failed
}

function completeList(
  { type, of }: List,
  input: unknown,
  before: unknown,
  field: Field,
  shaping: Shaping,
): unknown {
  if (!Array.isArray(input)) {
    throw new Error(
      `Invalid non-list value ${written(input)} returned by subgraph for list type ${written(type)}`,
    )
  }
  const known = before as unknown[] | undefined
  if (known && known.length !== input.length) {
    const [own, other] = [written(input), written(known)]
    throw new Error(`[${own}].length (${input.length}) !== [${other}].length (${known.length})`)
  }
  let isNull = false
  const output: unknown[] = []
  for (let index = 0; index < input.length; index += 1) {
    shaping.path.push(index)
    const item = complete(of, input[index], known?.[index], field, shaping)
    shaping.path.pop()
    if (item === invalid) isNull = true
    output.push(typeof item === 'symbol' ? null : item)
  }
  return isNull ? failed : output
}

function completeObject(
  { type, selections }: Composite,
  input: unknown,
  before: unknown,
  field: Field,
  shaping: Shaping,
): unknown {
  if (typeof input !== 'object') {
    throw new Error(
      `Invalid non-object value ${written(input)} returned by subgraph for composite type ${type.name}`,
    )
  }
  const fields = input as Fields
  const typename = fields[typenameName]
  if (typename !== undefined && typeof typename !== 'string') {
    const at = String(shaping.path)
    throw new Error(`Invalid non-string value ${written(typename)} for __typename at ${at}`)
  }
  let objectType = type
  if (typename) {
    const said = selections.schema.type(typename)
    if (!said || !isCompositeType(said)) {
      const place = placeOf(shaping, type, field)
      report(shaping, `Invalid __typename found for object at ${place}.`)
      return failed
    }
    objectType = said
  }
  const output = (before ?? {}) as Fields
  const shape = selections.of(typename, objectType)
  return applyFields(shape, fields, output, before === undefined, shaping) ? output : failed
}

function placeOf({ path }: Shaping, type: Type, { parent }: Field): string {
  const last = path.at(-1)
  return typeof last === 'string'
    ? `field ${parent.name}.${last}`
    : `array element of type ${written(type)} at index ${last}`
}

/** As a template would write it: it goes to our log and must read as Apollo's. */
function written(value: unknown): string {
  return String(value)
}

function report({ errors, path }: Shaping, message: string): void {
  errors.push(ERRORS.INVALID_GRAPHQL.err(message, { path: Array.from(path) }))
}
