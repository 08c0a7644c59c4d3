import {
  isCompositeType,
  isCustomScalarType,
  isEnumType,
  isListType,
  isNonNullType,
  isSubtype,
  Variable,
  type CompositeType,
  type FieldSelection,
  type FragmentSelection,
  type Schema,
  type SelectionSet,
  type Type,
} from '@apollo/federation-internals'

import { isInherited } from './json.ts'

/** A field or fragment that is only there if this variable has this value. */
export interface Condition {
  readonly variable: string
  readonly expected: boolean
}

interface Leaf {
  readonly kind: 'leaf'
  readonly type: Type
  accepts(value: unknown): boolean
}
export interface List {
  readonly kind: 'list'
  readonly type: Type
  readonly of: Value
}
interface NonNull {
  readonly kind: 'non-null'
  readonly type: Type
  readonly of: Value
}
export interface Composite {
  readonly kind: 'composite'
  readonly type: CompositeType
  readonly selections: Selections
}
export type Value = Leaf | List | NonNull | Composite

/** One field at its place: fragments are opened, and what only some conditions let through says so. */
export interface Field {
  readonly name: string
  readonly inherited: boolean
  readonly conditions: readonly Condition[] | null
  /** May stand a second time, so that what is there already counts. */
  readonly again: boolean
  /** The type that messages name. */
  readonly parent: CompositeType
  readonly what: 'typename' | 'introspection' | 'value'
  readonly selection: FieldSelection
  readonly value: Value
}

export const typenameName = '__typename'

export function findConditions(
  selectionSet: SelectionSet,
  found: Set<string>,
  schema: Schema,
): void {
  for (const selection of selectionSet.selections()) {
    if (selection.kind === 'FieldSelection' && selection.element.responseName() === '__proto__') {
      throw new Error('a field would name the prototype')
    }
    for (const { variable } of conditionsOf(selection.element, schema) ?? []) found.add(variable)
    if (selection.selectionSet) findConditions(selection.selectionSet, found, schema)
  }
}

/** Null when it is never there. */
function conditionsOf(
  element: FieldSelection['element'] | FragmentSelection['element'],
  schema: Schema,
): readonly Condition[] | null {
  const conditions: Condition[] = []
  for (const [definition, expected] of [
    [schema.skipDirective(), false],
    [schema.includeDirective(), true],
  ] as const) {
    const value: unknown = element.appliedDirectivesOf(definition)[0]?.arguments().if
    if (value instanceof Variable) conditions.push({ variable: value.name, expected })
    else if (value !== undefined && value !== expected) return null
  }
  return conditions
}

/** One selection set, opened for each type that its objects turn out to have. */
export class Selections {
  readonly schema: Schema
  readonly #selectionSet: SelectionSet
  readonly #byType = new Map<string, readonly Field[]>()
  #untyped: readonly Field[] | null = null
  /** Compiled once however many types share them. */
  readonly #values = new Map<FieldSelection, Value>()

  constructor(schema: Schema, selectionSet: SelectionSet) {
    this.schema = schema
    this.#selectionSet = selectionSet
  }

  /** `typename`: what the object says it is. Without one the schema's `type` counts, here always the same. */
  of(typename: string | undefined, type: CompositeType): readonly Field[] {
    const known = typename ? this.#byType.get(typename) : this.#untyped
    if (known) return known
    const fields: Field[] = []
    this.#open(this.#selectionSet, typename, type, [], fields)
    if (!typename) this.#untyped = fields
    // Names that no schema knows are a subgraph's invention: they are not kept.
    else if (this.schema.type(typename)) this.#byType.set(typename, fields)
    return fields
  }

  #open(
    selectionSet: SelectionSet,
    typename: string | undefined,
    parent: CompositeType,
    outer: readonly Condition[],
    fields: Field[],
  ): void {
    for (const selection of selectionSet.selections()) {
      const own = conditionsOf(selection.element, this.schema)
      if (!own) continue
      const conditions = own.length > 0 ? [...outer, ...own] : outer
      if (selection.kind === 'FragmentSelection') {
        const { typeCondition } = selection.element
        if (typeof typename !== 'string' && typename) {
          throw new Error(`Got unexpected value for __typename: ${String(typename)}`)
        }
        if (!this.#applies(typeCondition, typename, parent)) continue
        const type = typeCondition ?? parent
        this.#open(selection.selectionSet, typename, type, conditions, fields)
        continue
      }
      const { element: field } = selection
      const name = field.responseName()
      const introspection = field.definition.isSchemaIntrospectionField()
      fields.push({
        name,
        inherited: isInherited(name),
        conditions: conditions.length > 0 ? conditions : null,
        again: fields.some((other) => other.name === name),
        parent,
        what: introspection ? 'introspection' : field.name === typenameName ? 'typename' : 'value',
        selection,
        value: this.#valueOf(selection),
      })
    }
  }

  #applies(
    condition: CompositeType | undefined,
    typename: string | undefined,
    parent: CompositeType,
  ): boolean {
    if (!condition) return true
    if (!typename) return isSubtype(condition, parent)
    const type = this.schema.type(typename)
    return !!type && isSubtype(condition, type)
  }

  #valueOf(selection: FieldSelection): Value {
    const known = this.#values.get(selection)
    if (known) return known
    const { type } = selection.element.definition
    const value = compileValue(this.schema, type as Type, selection.selectionSet)
    this.#values.set(selection, value)
    return value
  }
}

function compileValue(schema: Schema, type: Type, selectionSet: SelectionSet | undefined): Value {
  if (isNonNullType(type)) {
    return { kind: 'non-null', type, of: compileValue(schema, type.ofType as Type, selectionSet) }
  }
  if (isListType(type)) {
    return { kind: 'list', type, of: compileValue(schema, type.ofType as Type, selectionSet) }
  }
  if (isCompositeType(type)) {
    if (!selectionSet)
      throw new Error(`Invalid empty selection set for composite type ${type.name}`)
    return { kind: 'composite', type, selections: new Selections(schema, selectionSet) }
  }
  return { kind: 'leaf', type, accepts: acceptsOf(schema, type) }
}

function acceptsOf(schema: Schema, type: Type): (value: unknown) => boolean {
  if (isCustomScalarType(type)) return () => true
  if (isEnumType(type)) {
    const names = new Set(type.values.map(({ name }) => name))
    return (value) => names.has(value as string)
  }
  if (type === schema.booleanType()) return (value) => typeof value === 'boolean'
  if (type === schema.floatType()) return Number.isFinite
  if (type === schema.intType()) return isWhole
  if (type === schema.idType()) return (value) => typeof value === 'string' || isWhole(value)
  return (value) => typeof value === 'string'
}

/** From here on numbers are written with an exponent. */
const plainBelow = 1e21

function isWhole(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(value as number) < plainBelow
}
