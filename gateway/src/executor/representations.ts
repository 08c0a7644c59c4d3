import type { QueryPlanSelectionNode } from '@apollo/query-planner'

import { isInherited, mergeInto, ownOf, type Fields } from './json.ts'
import type { Rewrite } from './rewrites.ts'
import type { RuntimeTypes } from './runtime-types.ts'

/** An entity as its subgraph is asked for it, in JSON; null where what names it is missing. */
export type Represent = (entity: unknown) => string | null

/**
 * Compiles what a fetch requires of each entity. Keys of plain fields, which is nearly all there are, are written as text at once;
 * the others become an object first.
 */
export function compileRequires(
  requires: readonly QueryPlanSelectionNode[],
  rewrite: Rewrite | null,
  types: RuntimeTypes,
): Represent {
  const byObject: Represent = (entity) => {
    const representation = select(entity, requires, types)
    if (!representation || !representation['__typename']) return null
    rewrite?.(representation)
    return JSON.stringify(representation)
  }
  const plain = rewrite ? null : plainKeysOf(requires)
  return plain ? (entity) => writePlain(entity, plain, types, byObject) : byObject
}

interface PlainKey {
  readonly typeCondition: string
  readonly fields: readonly { readonly name: string; readonly before: string; inherited: boolean }[]
}

/** Fragments of leaves alone, each name once. */
function plainKeysOf(requires: readonly QueryPlanSelectionNode[]): readonly PlainKey[] | null {
  const keys: PlainKey[] = []
  for (const fragment of requires) {
    if (fragment.kind !== 'InlineFragment' || !fragment.typeCondition) return null
    const names: string[] = []
    for (const field of fragment.selections) {
      if (field.kind !== 'Field' || field.selections) return null
      names.push(field.alias ?? field.name)
    }
    if (new Set(names).size < names.length || !names.includes('__typename')) return null
    const fields = names.map((name, index) => ({
      name,
      before: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
      inherited: isInherited(name),
    }))
    keys.push({ typeCondition: fragment.typeCondition, fields })
  }
  return keys
}

function writePlain(
  entity: unknown,
  keys: readonly PlainKey[],
  types: RuntimeTypes,
  byObject: Represent,
): string | null {
  if (typeof entity !== 'object' || entity === null) return byObject(entity)
  const typename = (entity as Fields)['__typename']
  // Without a name of its own it belongs to no fragment.
  if (!typename) return null
  let found: PlainKey | null = null
  for (const key of keys) {
    if (!types.is(typename, key.typeCondition)) continue
    if (found) return byObject(entity)
    found = key
  }
  if (!found) return null
  let text = ''
  for (const { name, before, inherited } of found.fields) {
    const value = inherited ? ownOf(entity, name) : (entity as Fields)[name]
    if (value === undefined) return null
    text += before + JSON.stringify(value)
  }
  return `${text}}`
}

function select(
  source: unknown,
  selections: readonly QueryPlanSelectionNode[],
  types: RuntimeTypes,
): Fields | null {
  if (source === null) return null
  const result = Object.create(null) as Fields
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      const typename = source ? (source as Fields)['__typename'] : undefined
      const { typeCondition } = selection
      if (!typeCondition || !typename || !types.is(typename, typeCondition)) continue
      mergeInto(result, select(source, selection.selections, types))
      continue
    }
    const name = selection.alias ?? selection.name
    const value = ownOf(source as object, name)
    if (value === undefined) return null
    const inner = selection.selections
    if (Array.isArray(value)) {
      result[name] = inner ? value.map((one) => select(one, inner, types)) : Array.from(value)
    } else result[name] = inner ? select(value, inner, types) : value
  }
  return result
}
