import { Supergraph } from '@apollo/federation-internals'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { expect, test } from 'vitest'

import { composed } from '../testing/world.ts'
import { publicSupergraphOf } from './contract.ts'

const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag"])`
const tunnels = `${head}
  type Query { tunnel(id: ID!, order: Order, at: Place): Tunnel @tag(name: "public") secrets: [Secret!]! }
  type Mutation { drop(id: ID!): ID! }
  type Tunnel @key(fields: "id") @tag(name: "public") { id: ID! name: String owner: User @tag(name: "internal") }
  type User @key(fields: "id", resolvable: false) { id: ID! }
  type Secret { text: String }
  enum Order { UP DOWN }
  input Place { region: Region }
  enum Region { EU US }
  input Unused { text: String }`
const domains = `${head}
  type Tunnel @key(fields: "id") { id: ID! domains: [String!] }
  type User @key(fields: "id") { id: ID! email: String @tag(name: "public") password: String }`

function apiOf(sdl: Record<string, string>): string {
  const supergraph = Supergraph.build(publicSupergraphOf(composed(sdl)) ?? '')
  return printSchema(lexicographicSortSchema(supergraph.apiSchema().toGraphQLJSSchema()))
}

test('partners see what is tagged, what it needs, and nothing else', () => {
  const api = apiOf({ tunnels, domains })

  expect(api.replaceAll(/\s+/g, ' ').trim()).toBe(
    [
      'enum Order { DOWN UP }',
      'input Place { region: Region }',
      'type Query { tunnel(at: Place, id: ID!, order: Order): Tunnel }',
      'enum Region { EU US }',
      'type Tunnel { domains: [String!] id: ID! name: String }',
      'type User { email: String }',
    ].join(' '),
  )
})

test('a public field of a type that is not public is refused by name', () => {
  const leaking = tunnels.replace('secrets: [Secret!]!', 'secrets: [Secret!]! @tag(name: "public")')

  expect(() => apiOf({ tunnels: leaking, domains })).toThrow(/"Secret" is @inaccessible/)
})
