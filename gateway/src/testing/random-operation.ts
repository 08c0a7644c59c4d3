import {
  getNamedType,
  isCompositeType,
  isObjectType,
  isUnionType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
} from 'graphql'

import type { Random } from './random.ts'

const operationVariables =
  '$on: Boolean!, $off: Boolean!, $default: Boolean! = true, $text: String, $introspected: String = "User"'

const depthMax = 5

/**
 * An operation over a schema: fields twice, aliases, fragments of both kinds, conditions, abstract types. Nearly all are
 * valid.
 */
export function randomOperation(
  schema: GraphQLSchema,
  random: Random,
  kind: 'query' | 'mutation' = 'query',
): string {
  const fragments: string[] = []

  function condition(): string {
    if (!random.chance(0.15)) return ''
    const directive = random.pick(['include', 'skip'])
    return ` @${directive}(if: ${random.pick(['$on', '$off', '$default', 'true', 'false'])})`
  }

  function fieldText(field: GraphQLField<unknown, unknown>, depth: number): string | null {
    const named = getNamedType(field.type)
    const isAliased = random.chance(0.2)
    const alias = isAliased ? `alias_${field.name}_${random.below(2)}: ` : ''
    const args = field.args.length > 0 ? '(x: $text)' : ''
    if (!isCompositeType(named)) return `${alias}${field.name}${args}${condition()}`
    if (depth >= depthMax) return null
    return `${alias}${field.name}${args}${condition()} ${selections(named, depth + 1)}`
  }

  function selections(type: GraphQLCompositeType, depth: number): string {
    const parts: string[] = []
    const fields = isUnionType(type) ? [] : Object.values(type.getFields())
    const count = 1 + random.below(4)
    for (let index = 0; index < count; index += 1) {
      if (random.chance(0.1)) {
        parts.push(random.chance(0.3) ? 'alias_type: __typename' : `__typename${condition()}`)
      } else if (fields.length > 0 && random.chance(0.75)) {
        const field = fieldText(random.pick(fields), depth)
        if (field) parts.push(field)
      } else parts.push(fragmentText(type, depth))
    }
    if (depth === 1 && kind === 'query' && random.chance(0.1)) {
      parts.push('__type(name: $introspected) { name kind fields { name } }')
    }
    return `{ ${parts.filter(Boolean).join(' ') || '__typename'} }`
  }

  function fragmentText(type: GraphQLCompositeType, depth: number): string {
    if (depth >= depthMax) return '__typename'
    const possible = isObjectType(type) ? [type] : schema.getPossibleTypes(type)
    const one = random.pick(possible)
    const around = isObjectType(one) ? one.getInterfaces() : []
    const on = random.pick([one, type, ...around] as GraphQLCompositeType[])
    if (random.chance(0.15)) return `...${condition()} ${selections(type, depth + 1)}`
    if (random.chance(0.6)) return `... on ${on.name}${condition()} ${selections(on, depth + 1)}`
    const name = `F${fragments.length}`
    // Its place first: those that it spreads come after it.
    fragments.push('')
    const number = fragments.length - 1
    fragments[number] = `fragment ${name} on ${on.name} ${selections(on, depth + 1)}`
    return `...${name}${condition()}`
  }

  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType()
  if (!root) throw new Error(`no ${kind}`)
  const body = selections(root, 1)
  const all = [body, ...fragments].join('\n')
  const used = operationVariables
    .split(', ')
    .filter((definition) => all.includes(definition.split(':')[0] ?? ''))
  const header = used.length > 0 ? `(${used.join(', ')})` : ''
  return `${kind} Random${header} ${all}`
}
