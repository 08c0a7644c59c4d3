import { parse } from 'graphql'
import { expect, test } from 'vitest'

import { lintSubgraphs } from './lints.ts'

const owner = `type Tunnel @key(fields: "id") { "Its id." id: ID! "Its state." status: String }`

function problems(sdl: Record<string, string>): string[] {
  return lintSubgraphs(
    Object.fromEntries(Object.entries(sdl).map(([name, text]) => [name, parse(text)])),
  )
}

test('subgraphs that are in order have no problems', () => {
  const other = `type Tunnel @key(fields: "id") { id: ID! "More." domain: String }`

  expect(problems({ tunnels: owner, domains: other })).toEqual([])
})

test.for([
  [
    'an argument on a field that another subgraph requires',
    `type Tunnel @key(fields: "id") { id: ID! status(kind: String): String @external "C." c: String @requires(fields: "status") }`,
    'domains: Tunnel.status is read by another subgraph, so it may take no arguments.',
  ],
  [
    'an argument on a key',
    `type Domain @key(fields: "id") { "Id." id(form: String): ID! }`,
    'domains: Domain.id is read by another subgraph, so it may take no arguments.',
  ],
  [
    'a non-null field on another subgraph’s type',
    `type Tunnel @key(fields: "id") { id: ID! "D." domain: String! }`,
    'domains: Tunnel.domain joins another subgraph’s type, so it must be nullable.',
  ],
  [
    'a non-null field that another subgraph resolves',
    `type Domain @key(fields: "id") { "Id." id: ID! "T." tunnel: Tunnel! } type Tunnel @key(fields: "id") { id: ID! }`,
    'domains: Domain.tunnel is resolved by another subgraph, so it must be nullable.',
  ],
  [
    'a directive that the gateway does not know',
    `type Query { "P." plans: String @requiresScopes(scopes: [["a"]]) }`,
    'domains: the gateway does not support @requiresScopes.',
  ],
  [
    'a field without a description',
    'type Query { plans: String }',
    'domains: Query.plans has no description.',
  ],
] as const)('%s is a problem', ([, sdl, problem]) => {
  expect(problems({ tunnels: owner, domains: sdl })).toEqual([problem])
})

test('a subscription field has one owner', () => {
  const sdl = 'type Subscription { "E." events: String }'

  expect(problems({ tunnels: sdl, domains: sdl })).toEqual([
    'Subscription.events is in tunnels and in domains.',
  ])
})
