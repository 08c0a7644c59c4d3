import {
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
} from 'graphql'

import type { Field, Ids, Thing } from './tenant-walk.ts'

/** An operation that asks one root field, with arguments made up from their types. */
export interface WalkDocument {
  readonly text: string
  variables(ids: Ids): Record<string, unknown>
}

/** Ids by the name of their argument; `id` is of the thing that the field declares. */
const thingsByName: Readonly<Record<string, Thing>> = {
  organizationId: 'organization',
  tunnelId: 'tunnel',
  memberId: 'member',
  roleId: 'role',
  groupId: 'scim-group',
  endpointId: 'webhook-endpoint',
  userId: 'user',
}
const textsByName: Readonly<Record<string, string>> = {
  domain: 'walk.example.com',
  password: 'correct horse battery staple',
  currentPassword: 'not the password',
  slug: 'walk',
  name: 'walk.tunnel.localhost',
  returnTo: '/',
}

export function documentOf(
  operation: string,
  field: GraphQLField<unknown, unknown>,
  declared: Field,
): WalkDocument {
  const of = declared.of ?? 'organization'
  const wanted = (ids: Ids): Record<string, unknown> => ({
    ...Object.fromEntries(
      field.args
        .filter(({ type }) => isNonNullType(type))
        .map(({ name, type }) => [name, valueOf(type, name, of, ids)]),
    ),
    ...declared.with?.(ids),
  })
  // Which arguments are given does not depend on the ids.
  const given = Object.keys(wanted(new Proxy({} as Ids, { get: () => '' })))
  const args = field.args.filter(({ name }) => given.includes(name))
  const head = args.map(({ name, type }) => `$${name}: ${type.toString()}`).join(', ')
  const passed = args.map(({ name }) => `${name}: $${name}`).join(', ')
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }'
  const named = `Walk${field.name[0]?.toUpperCase()}${field.name.slice(1)}`
  return {
    text: `${operation} ${named}${head && `(${head})`} { ${field.name}${passed && `(${passed})`}${selection} }`,
    variables: wanted,
  }
}

function valueOf(type: GraphQLInputType, name: string, of: Thing, ids: Ids): unknown {
  if (isNonNullType(type)) return valueOf(type.ofType, name, of, ids)
  if (isListType(type)) return []
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (isInputObjectType(type)) {
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter((one) => isNonNullType(one.type))
        .map((one) => [one.name, valueOf(one.type, one.name, of, ids)]),
    )
  }
  if (type.name === 'ID') return ids[thingsByName[name] ?? of]
  if (type.name === 'Int' || type.name === 'Float') return 1
  if (type.name === 'Boolean') return false
  if (type.name === 'DateTime') return new Date().toISOString()
  // Attempts are counted by address.
  if (name === 'email') return `walk-${crypto.randomUUID()}@example.test`
  return textsByName[name] ?? 'walk'
}
