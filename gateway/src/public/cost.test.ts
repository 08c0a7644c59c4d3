import { getOperationAST, parse } from 'graphql'
import { expect, test } from 'vitest'

import { createCostEstimator } from './cost.ts'

const estimator = createCostEstimator(`
  directive @cost(weight: Int!) on FIELD_DEFINITION | OBJECT
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
  type Query {
    me: Person
    people(first: Int = 25): People @listSize(slicingArguments: ["first"], sizedFields: ["nodes"])
    plans: [Plan!]! @listSize(assumedSize: 4)
    report: String @cost(weight: 50)
    heavy: Heavy
  }
  type Mutation { add: Person }
  type Subscription { added: Person }
  type People { nodes: [Person!]! total: Int }
  type Person { id: ID! name: String friends: [Person!] }
  type Plan { id: ID! }
  type Heavy @cost(weight: 7) { id: ID! }`)

function costOf(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text)
  const operation = getOperationAST(document)
  if (!operation) throw new TypeError('no operation')
  return estimator.costOf(document, operation, variables)
}

test.for([
  ['an object costs 1 and its leaves nothing', '{ me { id name } }', 1],
  ['every alias counts', '{ a: me { id } b: me { id } c: me { id } }', 3],
  [
    'fragments count where they are spread',
    '{ me { ...F } a: me { ...F } } fragment F on Person { friends { id } }',
    22,
  ],
  ['a page costs its rows', '{ people(first: 3) { nodes { id } } }', 4],
  ['a page without an argument costs its default', '{ people { nodes { id } } }', 26],
  ['rows multiply', '{ people(first: 100) { nodes { friends { id } } } }', 1 + 100 * (1 + 10)],
  ['what is not rows is counted once', '{ people(first: 100) { total } }', 1],
  ['a list of a known size', '{ plans { id } }', 4],
  ['a field with a weight', '{ report }', 50],
  ['a type with a weight', '{ heavy { id } }', 7],
  ['a mutation costs more', 'mutation { add { id } }', 11],
  ['a subscription costs some of its events', 'subscription { added { id } }', 10],
  ['introspection has a price', '{ __schema { types { name fields { name } } } __typename }', 20],
  ['no size below nothing', '{ people(first: -5) { nodes { id } } }', 1],
] as const)('%s', ([, text, cost]) => {
  expect(costOf(text)).toBe(cost)
})

test('variables count with their values, or their defaults', () => {
  const text =
    'query($n: Int = 7, $all: Boolean!) { people(first: $n) { nodes { id friends @include(if: $all) { id } } } }'

  expect(costOf(text, { all: false })).toBe(8)
  expect(costOf(text, { n: 2, all: false })).toBe(3)
  expect(costOf(text, { n: 2, all: true })).toBe(23)
  expect(costOf(text, { n: null, all: false })).toBe(26)
})
