import {
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'

import { randomFrom, type Random } from './random.ts'

export interface Asked {
  readonly service: string
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly representations: readonly string[] | null
}

interface Answer {
  data: unknown
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
}

const values: Record<string, readonly unknown[]> = {
  ID: ['1', '2', 3],
  Int: [0, -7, 42],
  Float: [0.5, 3, -1e30],
  Boolean: [true, false],
  String: ['', 'calm', '"quoted" \u2028 ünï'],
}
const wrong: readonly unknown[] = [7, 'seven', true, 1.5, 1e21, {}, [], '', 0, false, { id: '1' }]

/**
 * What a subgraph answers to a fetch, decided by the seed and the request alone: whoever asks the same gets the same. `faults` is
 * the share of places where it answers what it should not.
 */
export function randomAnswer(
  schema: GraphQLSchema,
  asked: Asked,
  seed: string,
  faults: number,
): Answer {
  const { service, query, variables, representations } = asked
  const whole = randomFrom(`${seed} ${service} ${query} ${JSON.stringify(variables)}`)
  if (whole.chance(faults)) {
    if (whole.chance(0.2)) throw new Error(`${service} is down`)
    const errors = [{ message: whole.pick(['down', '']), path: [], extensions: { code: 'DOWN' } }]
    if (whole.chance(0.7)) return { data: null, errors }
    return { data: whole.pick<unknown>([undefined, {}, { _entities: null }, { _entities: [] }]) }
  }
  const document = parse(query)
  const errors: NonNullable<Answer['errors']> = []
  const fragments = new Map<string, FragmentDefinitionNode>()
  let root: SelectionSetNode | undefined
  let rootType: string | undefined
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one)
    if (one.kind !== Kind.OPERATION_DEFINITION) continue
    root = one.selectionSet
    rootType = schema.getRootType(one.operation)?.name
  }
  if (!root || !rootType) throw new Error('no operation')

  const collect = (typename: string, sets: readonly SelectionSetNode[]) =>
    fieldsOf({ schema, variables, fragments }, typename, sets, new Map<string, FieldNode[]>())

  function object(
    typename: string,
    sets: readonly SelectionSetNode[],
    path: (string | number)[],
    random: Random,
    given: Readonly<Record<string, unknown>> = {},
  ): unknown {
    const type = schema.getType(typename)
    if (!type || !isObjectType(type)) return null
    const result: Record<string, unknown> = {}
    for (const [name, nodes] of collect(typename, sets)) {
      const field = nodes[0]?.name.value ?? ''
      const at = [...path, name]
      if (random.chance(faults / 2)) continue
      if (field === '__typename') {
        result[name] = random.chance(faults / 4)
          ? random.pick(['Nope', 'User', '', null])
          : typename
        continue
      }
      const inner = nodes.flatMap((node) => node.selectionSet ?? [])
      const definition = type.getFields()[field]
      if (field === '_entities') result[name] = entities(inner, at)
      else if (Object.hasOwn(given, field) && !random.chance(faults)) result[name] = given[field]
      else if (definition) result[name] = value(definition.type, inner, at, random)
    }
    return result
  }

  function value(
    type: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    path: (string | number)[],
    random: Random,
  ): unknown {
    if (random.chance(faults)) {
      if (random.chance(0.5)) errors.push(fault(path, random))
      if (random.chance(0.8)) return null
      return random.pick(wrong)
    }
    if (isNonNullType(type)) return value(type.ofType, sets, path, random)
    if (random.chance(0.1)) return null
    if (isListType(type)) {
      return Array.from({ length: random.below(4) }, (_none, index) =>
        value(type.ofType, sets, [...path, index], random),
      )
    }
    const named = getNamedType(type)
    if (isCompositeType(named)) {
      const possible = isObjectType(named) ? [named] : schema.getPossibleTypes(named)
      return object(random.pick(possible)?.name ?? '', sets, path, random)
    }
    if (isEnumType(named)) return random.pick(named.getValues()).name
    return random.pick(values[named.name] ?? [{ any: ['thing', null] }, 'text', 5])
  }

  function entities(sets: readonly SelectionSetNode[], path: (string | number)[]): unknown[] {
    const known = new Map<string, unknown>()
    return (representations ?? []).map((text, index) => {
      if (known.has(text)) {
        const entity = known.get(text)
        return isFlat(entity) ? entity : structuredClone(entity)
      }
      const random = randomFrom(`${seed} ${service} ${text}`)
      const representation = JSON.parse(text) as Record<string, unknown>
      const at = [...path, index]
      const asks = String(representation['__typename'])
      const type = schema.getType(asks)
      const typename =
        type && isCompositeType(type) && !isObjectType(type)
          ? (random.pick(schema.getPossibleTypes(type))?.name ?? asks)
          : asks
      const isMissing = random.chance(0.05 + faults)
      if (isMissing && random.chance(0.5)) errors.push(fault(at, random))
      const entity = isMissing
        ? random.pick([null, null, null, random.chance(faults) ? 'entity' : null])
        : object(typename, sets, at, random, representation)
      known.set(text, entity)
      return entity
    })
  }

  const data = object(rootType, [root], [], whole)
  return errors.length > 0 ? { data, errors } : { data }
}

function fault(path: (string | number)[], random: Random) {
  const extensions = random.pick([{ code: 'SLUICE_FORBIDDEN' }, { code: 'INVALID_GRAPHQL' }, {}])
  return { message: 'no', ...(random.chance(0.9) ? { path } : {}), extensions }
}

function isFlat(entity: unknown): boolean {
  return !Object.values(entity ?? {}).some((one) => typeof one === 'object' && one !== null)
}

interface Document {
  readonly schema: GraphQLSchema
  readonly variables: Readonly<Record<string, unknown>>
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

/** The fields that an object of a type answers, by response name. */
function fieldsOf(
  { schema, variables, fragments }: Document,
  typename: string,
  sets: readonly SelectionSetNode[],
  found: Map<string, FieldNode[]>,
): Map<string, FieldNode[]> {
  const self = schema.getType(typename)
  for (const selection of sets.flatMap((set) => set.selections)) {
    if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.['if'] === true) continue
    if (getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.['if'] === false)
      continue
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value
      found.set(name, [...(found.get(name) ?? []), selection])
      continue
    }
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value)
    const on = fragment?.typeCondition?.name.value
    const type = on === undefined ? self : schema.getType(on)
    const fits =
      type === self || (isObjectType(self) && isAbstractType(type) && schema.isSubType(type, self))
    if (fragment && fits) {
      fieldsOf({ schema, variables, fragments }, typename, [fragment.selectionSet], found)
    }
  }
  return found
}
